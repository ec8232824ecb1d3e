import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { guard } from 'lit/directives/guard.js';
import { texts } from '../texts.js';
import { ChatCode } from './code.js';
import { cutMarkdown } from './cut-text.js';
import { drawFormulas } from './math.js';
import { MarkdownSplitter, type MarkdownPiece } from './markdown-splitter.js';
import { MAX_PART } from './parts.js';
import { sanitise } from './sanitise.js';

/** A Markdown text that may grow. */
@customElement('chat-markdown')
export class ChatMarkdown extends LitElement {
  @property() text = '';
  /** True while more text may arrive. */
  @property({ type: Boolean }) growing = false;
  /** False on a page without the frame that draws diagrams: they stay code. */
  @property({ attribute: false }) draws = true;
  /** The length of the text that is shown: the time to read a text grows faster than its length. */
  @state() private limit = MAX_PART;
  private readonly splitter = new MarkdownSplitter();

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    const shown = cutMarkdown(this.text, this.limit);
    const hidden = this.text.length - shown.length;
    const pieces = this.splitter.split(shown);
    return html`${pieces.map((piece, i) => this.renderPiece(piece, this.growing && i === pieces.length - 1))}${
      hidden === 0
        ? nothing
        : html`<button type="button" class="quiet unfold" @click=${() => (this.limit += MAX_PART)}>
            ${texts.block.showMore(hidden)}
          </button>`
    }`;
  }

  private renderPiece(piece: MarkdownPiece, growing: boolean): TemplateResult | typeof nothing {
    if (piece.kind === 'code') {
      if (this.draws && !growing && piece.language === 'mermaid')
        return html`<chat-diagram .code=${piece.code}></chat-diagram>`;
      return html`<chat-code .code=${piece.code} .language=${piece.language} .growing=${growing}></chat-code>`;
    }
    if (piece.kind === 'source')
      return html`<p class="text" dir="auto"><chat-parts .text=${piece.text}></chat-parts></p>`;
    return html`${guard([piece], () => toNodes(piece.html))}`;
  }

  protected override updated(): void {
    // A formula that still grows would be drawn at each step, mostly wrong.
    if (!this.growing && this.querySelector('.math')) void drawFormulas(this).catch(() => {});
  }
}

/** Converts HTML to nodes, with the elements of the page for code (in a list or quotation too) and for tables. */
function toNodes(source: string): DocumentFragment {
  const fragment = sanitise(source);
  for (const inner of fragment.querySelectorAll('pre > code')) {
    const code = new ChatCode();
    code.code = inner.textContent.replace(/\n$/, '');
    code.language = /^language-(.*)$/.exec(inner.className)?.[1] ?? '';
    inner.parentElement?.replaceWith(code);
  }
  for (const table of fragment.querySelectorAll('table')) {
    const box = Object.assign(document.createElement('chat-table'), { table });
    table.replaceWith(box);
    // It stands there also before its element is loaded.
    box.append(table);
  }
  return fragment;
}
