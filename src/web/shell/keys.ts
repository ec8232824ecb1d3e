import { html, nothing, type TemplateResult } from 'lit';
import { ref, type Ref } from 'lit/directives/ref.js';
import { icons } from '../design/icons.js';
import { isInUse } from '../design/in-use.js';
import type { Preferences } from '../model/preferences.js';
import { texts } from '../texts.js';

/** The commands of keys without a modifier. */
export interface KeyActions {
  search(): void;
  openNew(): void;
  showKeys(): void;
}

/**
 * Runs the command of a key without a modifier, if there is one. Keys that are pressed in fields and dialogs, or belong to
 * an input method, stay theirs.
 */
export function pressSingleKey(event: KeyboardEvent, actions: KeyActions): void {
  const { key, target, ctrlKey, altKey, metaKey, isComposing } = event;
  if (ctrlKey || altKey || metaKey || isComposing || event.defaultPrevented) return;
  if (isInUse(target)) return;
  const act = { '/': actions.search, n: actions.openNew, '?': actions.showKeys }[key];
  if (!act) return;
  event.preventDefault();
  act();
}

/** Renders the dialog that lists the keys, with the switch for those without a modifier. `closed` is called after it. */
export function renderKeys(
  dialog: Ref<HTMLDialogElement>,
  preferences: Preferences,
  closed: () => void,
): TemplateResult {
  const { hasSingleKeys } = preferences;
  const { heading, close, list, single, switchLabel } = texts.keys;
  const rows = (keys: readonly (readonly [string, string])[], isOff = false) =>
    keys.map(
      ([key, meaning]) =>
        html`<dt class=${isOff ? 'off' : nothing}><kbd>${key}</kbd></dt>
          <dd class=${isOff ? 'off' : nothing}>${meaning}</dd>`,
    );
  return html`<dialog ${ref(dialog)} class="dialog keys" aria-labelledby="keys-heading" @close=${closed}>
    <form method="dialog" class="head-row">
      <h2 id="keys-heading">${heading}</h2>
      <button type="submit" class="icon-button" aria-label=${close} title=${close}>${icons.close}</button>
    </form>
    <dl>${rows(list)}${rows(single, !hasSingleKeys)}</dl>
    <label class="switch">
      <input
        type="checkbox"
        .checked=${hasSingleKeys}
        @change=${(event: Event) => (preferences.hasSingleKeys = (event.target as HTMLInputElement).checked)}
      />
      ${switchLabel}
    </label>
  </dialog>`;
}
