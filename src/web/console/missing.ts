import { html, type TemplateResult } from 'lit';
import type { Router } from './router.js';
import { consoleTexts } from './texts.js';

/** Renders that there is nothing at an address: it is gone, of another tenant, or was never there. */
export function renderMissing(router: Router): TemplateResult {
  const { explanation, back } = consoleTexts.missing;
  return html`<div class="empty missing">
    <p>${explanation}</p>
    <p><a href=${router.link({})}>${back}</a></p>
  </div>`;
}
