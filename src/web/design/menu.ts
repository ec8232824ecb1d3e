import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import type { DirectiveResult } from 'lit/directive.js';
import { icons } from './icons.js';

/** One command of a menu. */
export interface MenuItem {
  readonly icon: DirectiveResult;
  readonly label: string;
  readonly act: () => void;
  /** The key that does the same, for people to learn. */
  readonly key?: string;
}

/** Space between a menu, its button and the edge of the window, in pixels. */
const GAP = 4;

/** Events outside of the menu that close it, and events after which the menu moves to its button again. */
const LEAVING = ['pointerdown', 'focusin'];
const MOVING = ['scroll', 'resize'];

/**
 * A button with a menu. Arrow keys, Home and End move in it, Escape and Tab leave it, and the focus returns to the
 * button. The menu is fixed to the window, so no scrolling box cuts it off.
 */
@customElement('page-menu')
export class PageMenu extends LitElement {
  @property() label = '';
  @property({ attribute: false }) items: readonly MenuItem[] = [];
  @state() private isOpen = false;
  @query('button') private readonly button!: HTMLButtonElement;
  private readonly leave = (event: Event) => {
    if (!(event.target instanceof Node && this.contains(event.target))) this.close(false);
  };

  /** Puts the menu below its button, or above where there is no room, and within the window. */
  private readonly place = (): void => {
    const menu = this.querySelector<HTMLElement>('.menu');
    if (!menu) return;
    const button = this.button.getBoundingClientRect();
    const { width, height } = menu.getBoundingClientRect();
    const below = button.bottom + GAP;
    const top = below + height + GAP > innerHeight ? Math.max(GAP, button.top - GAP - height) : below;
    const isMirrored = getComputedStyle(this).direction === 'rtl';
    const left = isMirrored ? button.left : button.right - width;
    menu.style.top = `${top}px`;
    menu.style.left = `${Math.min(Math.max(GAP, left), Math.max(GAP, innerWidth - width - GAP))}px`;
  };

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.close(false);
  }

  /** Opens the menu, with the focus on its first command. */
  open(): void {
    this.isOpen = true;
    for (const name of LEAVING) addEventListener(name, this.leave, true);
    for (const name of MOVING) addEventListener(name, this.place, true);
    void this.show();
  }

  private async show(): Promise<void> {
    await this.updateComplete;
    this.place();
    this.list()[0]?.focus({ preventScroll: true });
  }

  protected override render(): TemplateResult {
    return html`<button
        type="button"
        class="icon-button"
        aria-label=${this.label}
        title=${this.label}
        aria-haspopup="menu"
        aria-expanded=${this.isOpen}
        @click=${() => (this.isOpen ? this.close(true) : this.open())}
      >
        ${icons.more}
      </button>
      ${this.isOpen ? this.renderMenu() : nothing}`;
  }

  private renderMenu(): TemplateResult {
    return html`<div class="menu" role="menu" aria-label=${this.label} @keydown=${this.press}>
      ${this.items.map(
        ({ icon, label, act, key }) =>
          html`<button type="button" role="menuitem" tabindex="-1" @click=${() => this.choose(act)}>
            ${icon}<span>${label}</span>${key === undefined ? nothing : html`<kbd aria-hidden="true">${key}</kbd>`}
          </button>`,
      )}
    </div>`;
  }

  private choose(act: () => void): void {
    this.close(true);
    act();
  }

  private close(isFocusBack: boolean): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const name of LEAVING) removeEventListener(name, this.leave, true);
    for (const name of MOVING) removeEventListener(name, this.place, true);
    if (isFocusBack) this.button.focus();
  }

  private list(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>('[role=menuitem]')];
  }

  private press(event: KeyboardEvent): void {
    const items = this.list();
    const at = items.findIndex((item) => item === document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[event.key];
    if (next !== undefined) items[next % items.length]?.focus();
    else if (event.key === 'Escape' || event.key === 'Tab') this.close(true);
    else return;
    if (event.key !== 'Tab') event.preventDefault();
    event.stopPropagation();
  }
}
