import { html, type TemplateResult } from 'lit';
import { icons } from './icons.js';

/** Time for which a copy button confirms that the text was copied, in milliseconds. */
export const CONFIRM_FOR_MS = 2_000;

/** Renders a button that copies something. `isCopied`: it was pressed a moment ago, which the label then confirms. */
export function renderCopyButton(label: string, isCopied: boolean, copy: () => void): TemplateResult {
  return html`<button type="button" class="quiet" @click=${copy}>
    ${isCopied ? icons.check : icons.copy}<span aria-live="polite">${label}</span>
  </button>`;
}
