import { html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { ref } from 'lit/directives/ref.js';
import { copyText } from '../design/clipboard.js';
import { icons } from '../design/icons.js';
import { tabStop } from '../design/tab-stop.js';
import { texts } from '../texts.js';
import { highlight } from './highlight.js';
import { MAX_PART } from './parts.js';

/** Code with more lines than `FOLD_ABOVE` is folded until the reader unfolds it. */
const FOLDED_LINES = 30;
const FOLD_ABOVE = 40;

/** Code with its language and a copy button, highlighted once it is complete. */
@customElement('chat-code')
export class ChatCode extends LitElement {
  @property() code = '';
  @property() language = '';
  /** True while more text may arrive. */
  @property({ type: Boolean }) growing = false;
  @state() private coloured: Node | undefined;
  @state() private isUnfolded = false;
  @state() private isWrapped = false;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override willUpdate(changed: Map<PropertyKey, unknown>): void {
    if (!['code', 'language', 'growing', 'isUnfolded'].some((name) => changed.has(name))) return;
    this.coloured = undefined;
    if (!this.growing) void this.colour();
  }

  protected override render(): TemplateResult {
    return html`<figure class="code ${this.isWrapped ? 'wrapped' : ''}">
      <figcaption>
        <span>${this.language || texts.block.code}</span>
        <button
          type="button"
          class="quiet"
          aria-pressed=${this.isWrapped ? 'true' : 'false'}
          @click=${() => (this.isWrapped = !this.isWrapped)}
        >
          ${icons.wrap}${texts.block.wrap}
        </button>
        <chat-copy .label=${texts.block.copyCode} .copy=${() => copyText(this.code)}></chat-copy>
      </figcaption>
      ${
        this.coloured || this.shown.length <= MAX_PART
          ? renderPre(this.coloured ?? this.shown)
          : html`<chat-parts .text=${this.shown} .frame=${renderPre}></chat-parts>`
      }
      ${
        this.isLong
          ? html`<button type="button" class="quiet unfold" @click=${() => (this.isUnfolded = !this.isUnfolded)}>
              ${this.isUnfolded ? texts.block.hideLines : texts.block.showLines(this.lines.length)}
            </button>`
          : ''
      }
    </figure>`;
  }

  private get lines(): readonly string[] {
    return this.code.split('\n');
  }

  private get isLong(): boolean {
    return !this.growing && this.lines.length > FOLD_ABOVE;
  }

  private get shown(): string {
    return this.isLong && !this.isUnfolded ? this.lines.slice(0, FOLDED_LINES).join('\n') : this.code;
  }

  private async colour(): Promise<void> {
    const { shown, language } = this;
    const coloured = await highlight(shown, language).catch(() => undefined);
    if (coloured && shown === this.shown && language === this.language && !this.growing) this.coloured = wrap(coloured);
  }
}

function renderPre(content: unknown): TemplateResult {
  return html`<pre ${ref(tabStop)} dir="ltr"><code>${content}</code></pre>`;
}

/** Wraps a fragment in an element that can be inserted repeatedly; a fragment is empty once inserted. */
function wrap(fragment: DocumentFragment): HTMLElement {
  const span = document.createElement('span');
  span.append(fragment);
  return span;
}
