import { html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { replaceLoneSurrogates } from '../model/message-limits.js';
import { texts } from '../texts.js';

/** Texts above one of the first sizes are folded to the second until the reader unfolds them. */
const FOLD_ABOVE = { characters: 3_000, lines: 45 };
const FOLDED = { characters: 1_200, lines: 20 };

/** A text exactly as its author wrote it. */
@customElement('chat-long-text')
export class ChatLongText extends LitElement {
  @property() text = '';
  @state() private isUnfolded = false;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    const lines = this.text.split('\n');
    const isLong = this.text.length > FOLD_ABOVE.characters || lines.length > FOLD_ABOVE.lines;
    const start = lines.slice(0, FOLDED.lines).join('\n').slice(0, FOLDED.characters);
    const shown = isLong && !this.isUnfolded ? `${replaceLoneSurrogates(start)}…` : this.text;
    return html`<p class="text" dir="auto">${shown}</p>
      ${
        isLong
          ? html`<button type="button" class="quiet unfold" @click=${() => (this.isUnfolded = !this.isUnfolded)}>
              ${this.isUnfolded ? texts.message.showLess : texts.message.showAll}
            </button>`
          : ''
      }`;
  }
}
