import { html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { announce } from './announce.js';

/** Time within which the second press counts, in milliseconds. */
const ASK_FOR_MS = 4_000;

/**
 * A quiet button. With a `warning` it acts at the second press only, and shows the warning until then. Dispatches `act`.
 */
@customElement('chat-second-press')
export class SecondPress extends LitElement {
  @property() label = '';
  /** A consequence of the press that the reader may not expect; empty for none. */
  @property() warning = '';
  @property({ attribute: false }) icon: unknown;
  @state() private isAsking = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.ask(false);
  }

  protected override render(): TemplateResult {
    return html`<button type="button" class="quiet ${this.isAsking ? 'asks' : ''}" @click=${this.press}>
      ${this.icon}<span>${this.isAsking ? this.warning : this.label}</span>
    </button>`;
  }

  private press(): void {
    if (this.warning !== '' && !this.isAsking) return this.ask(true);
    this.ask(false);
    this.dispatchEvent(new CustomEvent('act'));
  }

  private ask(isAsking: boolean): void {
    clearTimeout(this.#timer);
    this.isAsking = isAsking;
    if (!isAsking) return;
    announce(this.warning);
    this.#timer = setTimeout(() => this.ask(false), ASK_FOR_MS);
  }
}
