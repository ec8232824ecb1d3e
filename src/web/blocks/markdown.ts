import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { guard } from 'lit/directives/guard.js';
import { ChatCode } from './code.js';
import { MarkdownSplitter, type MarkdownPiece } from './markdown-splitter.js';
import { sanitise } from './sanitise.js';
import { ChatTable } from './table.js';

/** A Markdown text that may grow. */
@customElement('chat-markdown')
export class ChatMarkdown extends LitElement {
  @property() text = '';
  /** True while more text may arrive. */
  @property({ type: Boolean }) growing = false;
  private readonly splitter = new MarkdownSplitter();

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult {
    const pieces = this.splitter.split(this.text);
    return html`${pieces.map((piece, i) => this.renderPiece(piece, this.growing && i === pieces.length - 1))}`;
  }

  private renderPiece(piece: MarkdownPiece, growing: boolean): TemplateResult | typeof nothing {
    if (piece.kind === 'code') {
      return html`<chat-code .code=${piece.code} .language=${piece.language} .growing=${growing}></chat-code>`;
    }
    return html`${guard([piece], () => toNodes(piece.html))}`;
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
    const box = new ChatTable();
    table.replaceWith(box);
    box.table = table;
  }
  return fragment;
}
