import { html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { copyText } from '../design/clipboard.js';
import { texts } from '../texts.js';
import { readSource } from './source-text.js';
import { writeCsv, writeMarkdownTable } from './written-table.js';

/** A table with a caption to copy it. It scrolls sideways, with a shadow on the side where it is cut. */
@customElement('chat-table')
export class ChatTable extends LitElement {
  @property({ attribute: false }) table!: HTMLTableElement;
  @state() private cut: { readonly start: boolean; readonly end: boolean } = { start: false, end: false };
  readonly #resized = new ResizeObserver(() => this.measure());

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resized.disconnect();
  }

  protected override firstUpdated(): void {
    this.observe();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.observe();
  }

  protected override render(): TemplateResult {
    const { start, end } = this.cut;
    const sides = `${start ? 'cut-start' : ''} ${end ? 'cut-end' : ''}`;
    return html`<figure class="table ${sides}">
      <figcaption>
        <span>${texts.block.rows(this.table.rows.length - 1)}</span>
        <chat-copy .label=${texts.block.copyTable} .copy=${() => this.copy(writeMarkdownTable)}></chat-copy>
        <chat-copy .label=${texts.block.copyCsv} .copy=${() => this.copy(writeCsv)}></chat-copy>
      </figcaption>
      <div class="table-box" tabindex=${start || end ? 0 : -1} @scroll=${this.measure}>${this.table}</div>
    </figure>`;
  }

  private copy(write: typeof writeCsv): Promise<boolean> {
    return copyText(write(this.table, readSource));
  }

  private observe(): void {
    const box = this.querySelector('.table-box');
    if (!box) return;
    this.#resized.observe(box);
    this.#resized.observe(this.table);
  }

  private measure(): void {
    const box = this.querySelector('.table-box');
    if (!box) return;
    // From right to left the position is negative.
    const from = Math.abs(box.scrollLeft);
    const rest = box.scrollWidth - box.clientWidth - from;
    const [start, end] = [from > 1, rest > 1];
    if (start !== this.cut.start || end !== this.cut.end) this.cut = { start, end };
  }
}
