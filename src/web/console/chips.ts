import { html, nothing, type TemplateResult } from 'lit';
import { toVisibleText } from '../../protocol/visible-text.js';
import { icons } from '../design/icons.js';
import { consoleTexts } from './texts.js';

/** A filter that is set, as a chip above the list. */
export interface FilterChip {
  readonly label: string;
  readonly remove: () => void;
}

/** What is filtered. */
interface Filtered {
  readonly chips?: readonly FilterChip[];
  /** Removes all filters. */
  readonly clear?: () => void;
}

/** Renders the filters that are set. Of several, a button removes all. */
export function renderChips({ chips = [], clear }: Filtered): TemplateResult | typeof nothing {
  if (chips.length === 0) return nothing;
  return html`<ul class="chips">
    ${chips.map(
      ({ label, remove }) =>
        html`<li>
          <button type="button" class="chip" aria-label=${consoleTexts.list.remove(label)} @click=${remove}>
            <span>${toVisibleText(label)}</span>${icons.close}
          </button>
        </li>`,
    )}
    ${
      clear && chips.length > 1
        ? html`<li><button type="button" class="quiet" @click=${clear}>${consoleTexts.list.clear}</button></li>`
        : nothing
    }
  </ul>`;
}
