import { html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { texts } from '../texts.js';
import { announce } from './announce.js';
import { icons } from './icons.js';

/** Time for which the button shows the outcome, in milliseconds. */
const SHOWN_FOR_MS = 2_000;

/** A button that copies something. It shows the outcome for a moment, and makes screen readers read it. */
@customElement('chat-copy')
export class ChatCopy extends LitElement {
  @property() label = '';
  /** Copies. Resolves with false when the browser does not allow it; rejects when the text cannot be written. */
  @property({ attribute: false }) copy!: () => Promise<boolean>;
  @state() private outcome: 'done' | 'refused' | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    const { outcome, label } = this;
    const icon = { done: icons.check, refused: icons.failed, none: icons.copy }[outcome ?? 'none'];
    return html`<button type="button" class="quiet" @click=${this.press}>
      ${icon}<span>${outcome === undefined ? label : texts.copying[outcome]}</span>
    </button>`;
  }

  private async press(): Promise<void> {
    this.outcome = (await this.copy().catch(() => false)) ? 'done' : 'refused';
    announce(texts.copying[this.outcome]);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.outcome = undefined), SHOWN_FOR_MS);
  }
}
