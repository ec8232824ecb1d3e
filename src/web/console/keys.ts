import { html, nothing, type TemplateResult } from 'lit';
import { ref, type Ref } from 'lit/directives/ref.js';
import { announce } from '../design/announce.js';
import { copyText } from '../design/clipboard.js';
import { icons } from '../design/icons.js';
import { isInUse } from '../design/in-use.js';
import { settings } from './own-settings.js';
import type { ConsolePage } from './page.js';
import { pages, type PageEntry } from './page-table.js';
import { consoleTexts } from './texts.js';

/** Time within which the letter after `g` counts, in milliseconds. */
const SEQUENCE_MS = 1_500;

/** The targets of keys besides the page. */
export interface KeyTarget {
  readonly shownPage: ConsolePage | undefined;
  go(name: string): void;
  jump(): Promise<void>;
  showKeys(): void;
}

/**
 * The keys of the console. Those without a modifier act neither in fields, dialogs and menus nor for an input method, and can be
 * switched off. No key destroys anything.
 */
export class ConsoleKeys {
  #isAfterG = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly target: KeyTarget) {}

  press(event: KeyboardEvent): void {
    const { key, ctrlKey, metaKey, altKey, isComposing, target } = event;
    if (event.defaultPrevented || isComposing) return;
    if (key.toLowerCase() === 'k' && (ctrlKey || metaKey) && !altKey) {
      event.preventDefault();
      return void this.target.jump();
    }
    if (key === 'Escape') leaveSearch(event);
    if (ctrlKey || metaKey || altKey || !settings.hasSingleKeys) return;
    if (!isInUse(target) && this.#act(event)) event.preventDefault();
  }

  #act({ key, shiftKey }: KeyboardEvent): boolean {
    if (this.#isAfterG) {
      this.#expect(false);
      const page = pages.find((each) => each.key === key);
      if (page) this.target.go(page.name);
      return page !== undefined;
    }
    const { shownPage: page } = this.target;
    const act = {
      g: () => this.#expect(true),
      '?': () => this.target.showKeys(),
      '/': () => page?.querySelector<HTMLElement>('[data-search]')?.focus(),
      j: () => page?.list?.move(1),
      k: () => page?.list?.move(-1),
      x: () => page?.list?.check(),
      X: () => page?.list?.check(shiftKey),
      '[': () => page?.step(-1),
      ']': () => page?.step(1),
      r: () => page?.read(),
      y: () => void copyShown(page),
      '.': () => openActions(page),
    }[key];
    act?.();
    return act !== undefined;
  }

  #expect(isAfterG: boolean): void {
    clearTimeout(this.#timer);
    this.#isAfterG = isAfterG;
    if (isAfterG) this.#timer = setTimeout(() => (this.#isAfterG = false), SEQUENCE_MS);
  }
}

/** Leaves a search with what it has found: the keys for rows act on that. */
function leaveSearch(event: KeyboardEvent): void {
  if (!(event.target instanceof HTMLElement && event.target.matches('[data-search]'))) return;
  event.preventDefault();
  event.target.blur();
}

async function copyShown(page: ConsolePage | undefined): Promise<void> {
  const id = page?.shownId;
  if (id !== undefined && (await copyText(id))) announce(consoleTexts.copied(id));
}

/** Opens the menu of the row that has the focus, or of the page. */
function openActions(page: ConsolePage | undefined): void {
  const near = document.activeElement
    ?.closest('.row')
    ?.querySelector<HTMLElement>('page-menu > button, console-action button');
  (near ?? page?.querySelector<HTMLElement>('.actions :is(page-menu > button, button)'))?.focus();
}

/**
 * Renders the dialog that lists the keys, with the switch for those without a modifier.
 * @param open the pages that the person can open
 */
export function renderKeys(
  dialog: Ref<HTMLDialogElement>,
  open: readonly PageEntry[],
  closed: () => void,
): TemplateResult {
  const { heading, close, list, single, goTo, switchLabel } = consoleTexts.keys;
  const leading = open.map(({ key, title }) => [`g ${key}`, goTo(title)] as const);
  const row = (isOff: boolean) => {
    const look = isOff ? 'off' : nothing;
    return ([key, meaning]: readonly [string, string]) =>
      html`<dt class=${look}><kbd>${key}</kbd></dt>
        <dd class=${look}>${meaning}</dd>`;
  };
  return html`<dialog ${ref(dialog)} class="dialog keys" aria-labelledby="keys-heading" @close=${closed}>
    <form method="dialog" class="head-row">
      <h2 id="keys-heading">${heading}</h2>
      <button type="submit" class="icon-button" aria-label=${close} title=${close}>${icons.close}</button>
    </form>
    <dl>${list.map(row(false))}${[...single, ...leading].map(row(!settings.hasSingleKeys))}</dl>
    <label class="switch">
      <input
        type="checkbox"
        .checked=${settings.hasSingleKeys}
        @change=${(event: Event) => (settings.hasSingleKeys = (event.target as HTMLInputElement).checked)}
      />
      ${switchLabel}
    </label>
  </dialog>`;
}
