import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { guard } from 'lit/directives/guard.js';
import { ref } from 'lit/directives/ref.js';
import { cutMarkdown } from '../../blocks/cut-text.js';
import { MarkdownSplitter, type MarkdownPiece } from '../../blocks/markdown-splitter.js';
import { MAX_PART } from '../../blocks/parts.js';
import { sanitise } from '../../blocks/sanitise.js';
import { tabStop } from '../../design/tab-stop.js';
import { texts } from '../../texts.js';

/**
 * A Markdown text that an agent has written. Code is not coloured, and formulas and diagrams stay as they are written: what draws
 * them is larger than the console.
 */
@customElement('console-markdown')
export class ConsoleMarkdown extends LitElement {
  @property() text = '';
  /** How much of the text is shown, in UTF-16 units. */
  @state() private limit = MAX_PART;
  private readonly splitter = new MarkdownSplitter();

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    const shown = cutMarkdown(this.text, this.limit);
    const hidden = this.text.length - shown.length;
    return html`${this.splitter.split(shown).map(renderPiece)}${
      hidden === 0
        ? nothing
        : html`<button type="button" class="quiet unfold" @click=${() => (this.limit += MAX_PART)}>
            ${texts.block.showMore(hidden)}
          </button>`
    }`;
  }
}

function renderPiece(piece: MarkdownPiece): TemplateResult {
  if (piece.kind === 'code') return html`<pre ${ref(tabStop)} dir="ltr"><code>${piece.code}</code></pre>`;
  if (piece.kind === 'source') return html`<p class="text" dir="auto">${piece.text}</p>`;
  return html`${guard([piece], () => sanitise(piece.html))}`;
}
