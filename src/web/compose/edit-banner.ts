import { html, nothing, type TemplateResult } from 'lit';
import { icons } from '../design/icons.js';
import { texts } from '../texts.js';
import type { Writing } from './writing.js';

/** Renders, above the composer, that its text will be sent in place of an earlier message. */
export function renderEditBanner(writing: Writing): TemplateResult | typeof nothing {
  if (!writing.editing) return nothing;
  return html`<p class="column edit-banner" role="status">
    <span class="state info">${icons.edit}${texts.composer.editing}</span>
    <button type="button" class="quiet" @click=${() => writing.stopEditing()}>${texts.composer.stopEditing}</button>
  </p>`;
}
