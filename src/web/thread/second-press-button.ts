import { html, LitElement, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { SecondPress } from '../design/second-press.js';

/** A quiet button. With a `warning` it acts at the second press only, and shows the warning until then. Dispatches `act`. */
@customElement('chat-second-press')
export class SecondPressButton extends LitElement {
  @property() label = '';
  /** A consequence of the press that the reader may not expect; empty for none. */
  @property() warning = '';
  @property({ attribute: false }) icon: unknown;
  private readonly presses = new SecondPress(this);

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    const { isAsking } = this.presses;
    return html`<button type="button" class="quiet ${isAsking ? 'asks' : ''}" @click=${this.press}>
      ${this.icon}<span>${isAsking ? this.warning : this.label}</span>
    </button>`;
  }

  private press(): void {
    if (this.presses.counts(this.warning)) this.dispatchEvent(new CustomEvent('act'));
  }
}
