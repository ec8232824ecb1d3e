import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { texts } from '../texts.js';
import { cutText } from './cut-text.js';

/** A longer text is cut here until the reader wants all of it. It is then added in parts of this size, one per frame. */
export const MAX_PART = 20_000;

/** A text as it is, of any length. A long one is cut, and shown in parts on demand, so that the page never freezes. */
@customElement('chat-parts')
export class ChatParts extends LitElement {
  @property() text = '';
  /** Renders what the text stands in; the button stands below. */
  @property({ attribute: false }) frame: (content: unknown) => unknown = (content) => content;
  @state() private count = 1;
  private isFilling = false;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.isFilling = false;
  }

  protected override render(): TemplateResult {
    if (this.text.length <= MAX_PART) return html`${this.frame(this.text)}`;
    const parts = cutText(this.text, MAX_PART);
    const hidden = parts.length - this.count;
    const shown = parts.slice(0, this.count).map((part) => html`<span class="part">${part}</span>`);
    return html`${this.frame(shown)}${
      hidden > 0 && !this.isFilling
        ? html`<button type="button" class="quiet unfold" @click=${this.fill}>
            ${texts.block.showAll(this.text.length)}
          </button>`
        : nothing
    }`;
  }

  private fill(): void {
    this.isFilling = true;
    const add = () => {
      if (!this.isFilling) return;
      this.count++;
      if (this.count * MAX_PART >= this.text.length) this.isFilling = false;
      else requestAnimationFrame(add);
    };
    requestAnimationFrame(add);
  }
}
