import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { DirectiveResult } from 'lit/directive.js';
import { icons } from '../design/icons.js';
import { listOpenPages } from './barrier.js';
import { consoleIcons } from './icons.js';
import type { Me } from './me.js';
import type { PlaceParts } from './place.js';
import type { Router } from './router.js';
import { consoleTexts } from './texts.js';

/** Something that the palette leads to. */
export interface Destination {
  readonly label: string;
  readonly icon: DirectiveResult;
  readonly place: PlaceParts;
}

/**
 * Returns the destinations for what was typed: the thing with that id, and the pages that the person can open and of which all
 * words are part.
 */
function findDestinations(typed: string, me: Me): readonly Destination[] {
  const text = typed.trim();
  const words = text.toLowerCase().split(/\s+/);
  const { session, message } = consoleTexts.palette;
  const things: Destination[] = [];
  if (/^s_[\w-]+$/.test(text))
    things.push({ label: session(text), icon: consoleIcons.sessions, place: { page: 'sessions', ids: [text] } });
  if (/^m_[\w-]+$/.test(text))
    things.push({ label: message(text), icon: consoleIcons.queue, place: { page: 'messages', ids: [text] } });
  const found = listOpenPages(me).filter(({ title, name }) =>
    words.every((word) => title.toLowerCase().includes(word) || name.includes(word)),
  );
  return [...things, ...found.map(({ title, icon, name }) => ({ label: title, icon, place: { page: name } }))];
}

/** A field that leads to a page or to the thing with an id. */
@customElement('console-palette')
export class ConsolePalette extends LitElement {
  @property({ attribute: false }) router!: Router;
  @property({ attribute: false }) me!: Me;
  @state() private typed = '';
  @state() private at = 0;
  @query('dialog') private readonly dialog!: HTMLDialogElement;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  /** Opens it, with the field empty. */
  async open(): Promise<void> {
    this.typed = '';
    this.at = 0;
    await this.updateComplete;
    if (!this.dialog.open) this.dialog.showModal();
  }

  protected override render(): TemplateResult {
    const { label, placeholder, nothing: none } = consoleTexts.palette;
    const found = findDestinations(this.typed, this.me);
    return html`<dialog class="dialog palette" aria-label=${label} @click=${this.leave}>
      <label class="search">
        ${icons.search}<span class="visually-hidden">${label}</span>
        <input
          class="field"
          role="combobox"
          autofocus
          autocomplete="off"
          spellcheck="false"
          aria-expanded="true"
          aria-controls="destinations"
          aria-activedescendant=${found.length === 0 ? nothing : `destination-${this.at}`}
          placeholder=${placeholder}
          .value=${this.typed}
          @input=${this.type}
          @keydown=${(event: KeyboardEvent) => this.press(event, found)}
        />
      </label>
      <ul id="destinations" role="listbox" aria-label=${label}>
        ${found.map(
          ({ label: name, icon, place }, i) =>
            html`<li
              id="destination-${i}"
              role="option"
              aria-selected=${i === this.at}
              @click=${() => this.go(place)}
              @pointermove=${() => (this.at = i)}
            >
              ${icon}<span>${name}</span>
            </li>`,
        )}
      </ul>
      ${found.length === 0 ? html`<p class="faint" role="status">${none}</p>` : nothing}
    </dialog>`;
  }

  private type({ target }: Event): void {
    this.typed = (target as HTMLInputElement).value;
    this.at = 0;
  }

  private press(event: KeyboardEvent, found: readonly Destination[]): void {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined && found.length > 0) this.at = (this.at + by + found.length) % found.length;
    else if (event.key === 'Enter' && !event.isComposing) {
      const place = found[this.at]?.place;
      if (place) this.go(place);
    } else return;
    event.preventDefault();
  }

  private go(place: PlaceParts): void {
    this.dialog.close();
    this.router.go(this.router.link(place));
  }

  /** A press beside the dialog closes it. */
  private leave(event: MouseEvent): void {
    if (event.target === this.dialog) this.dialog.close();
  }
}
