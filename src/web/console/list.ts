import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { style } from '../design/style.js';
import { CheckedRows } from './checked-rows.js';
import { renderChips, type FilterChip } from './chips.js';
import { describeError } from './failure.js';
import { findWindow, ListModel, type LoadPage } from './list-model.js';
import { settings } from './own-settings.js';
import { leaveTrail } from './row-trail.js';
import { renderCells } from './table.js';
import { consoleTexts } from './texts.js';

/** A column of a list. */
export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => unknown;
  /** A track of the grid, such as `minmax(8rem, 2fr)`. */
  readonly width: string;
  /** Numbers stand at the end of their column. */
  readonly isNumber?: boolean;
  /** Its place in the two lines of a row on a phone; without one it is hidden there. */
  readonly phone?: 'main' | 'side' | 'second' | 'end';
}

/** The rows and columns of a list. Another object is another list: its pages are read again. */
export interface ListSource<Row> {
  /** The name of the rows, for screen readers: "Conversations". */
  readonly label: string;
  /** The first is the link of the row. */
  readonly columns: readonly Column<Row>[];
  readonly load: LoadPage<Row>;
  readonly keyOf: (row: Row) => string;
  /** The address of a row; undefined for one that leads nowhere. */
  readonly linkOf?: (row: Row) => string | undefined;
  /** The text of a list that was never filled: a sentence, and the command that fills it. */
  readonly empty: { readonly sentence: string; readonly command?: string };
  /** The filters that are set. */
  readonly chips?: readonly FilterChip[];
  /** Removes all filters. */
  readonly clear?: () => void;
  /** True if rows can be checked, for actions on several. */
  readonly canCheck?: boolean;
}

/** Heights of rows, in rem. */
const HEIGHTS = { normal: 2.25, compact: 1.75, touch: 3, phone: 3.5 } as const;

/** Rows before the end of what was read at which the next page is read. */
const AHEAD = 20;

const phone = matchMedia('(max-width: 44rem)');
const touch = matchMedia('(pointer: coarse)');

/**
 * The list of every page: it reads pages by cursor, and draws only the rows in sight. Dispatches `check` when other rows are
 * checked. Pages change its rows by {@link model}.
 */
@customElement('console-list')
// oxlint-disable-next-line typescript/no-explicit-any -- the element that a template makes has no type parameter
export class ConsoleList<Row = any> extends LitElement {
  @property({ attribute: false }) source!: ListSource<Row>;
  @state() private scrolled = 0;
  @state() private height = 0;
  @state() private isPrinting = false;
  @query('.rows') private readonly scroller!: HTMLElement | null;
  /** The rows that were read. */
  model!: ListModel<Row>;
  readonly #checked = new CheckedRows();
  #stops: (() => void)[] = [];

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  /** The keys of the rows that are checked. */
  get checked(): ReadonlySet<string> {
    return this.#checked.keys;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const update = () => this.requestUpdate();
    const print = ({ type }: Event) => {
      this.isPrinting = type === 'beforeprint';
      this.performUpdate();
    };
    const names = ['beforeprint', 'afterprint'];
    for (const media of [phone, touch]) media.addEventListener('change', update);
    for (const name of names) addEventListener(name, print);
    this.#stops = [
      settings.changed.subscribe(update),
      () => [phone, touch].forEach((media) => media.removeEventListener('change', update)),
      () => names.forEach((name) => removeEventListener(name, print)),
    ];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const stop of this.#stops) stop();
    if (!this.hasUpdated) return;
    this.model.stop();
    const { linkOf } = this.source;
    leaveTrail(this.model.rows.map((row) => linkOf?.(row)).filter((link) => link !== undefined));
  }

  /** Reads the list again, and keeps the place. */
  read(): void {
    void this.model.read();
  }

  /** Moves the focus to the next row, or to the previous one. */
  move(by: 1 | -1): void {
    const { length } = this.model.rows;
    if (length === 0) return;
    const at = this.#findFocused() ?? (by === 1 ? -1 : length);
    this.#focus(Math.min(length - 1, Math.max(0, at + by)));
  }

  /** Checks the row that has the focus, or all rows from the one that was checked last up to it. */
  check(isRange = false): void {
    const at = this.#findFocused();
    if (at !== undefined && this.source.canCheck) this.#check(at, isRange);
  }

  /** Checks no row any more. */
  uncheck(): void {
    this.checkOnly([]);
  }

  /** Checks the rows with these keys, and no others. */
  checkOnly(keys: readonly string[]): void {
    this.#checked.replace(keys);
    this.#notifyChecked();
  }

  /** True if there are rows that are not checked, also among those that were not read. */
  get hasUnchecked(): boolean {
    const { model } = this;
    return model.hasMore || this.#keysHere().some((key) => !this.checked.has(key));
  }

  /**
   * Checks all rows, after reading those that were not read. Rows that come later are not among them. Resolves with false if
   * there are more than `max`: then the first ones are checked.
   */
  async checkAll(max: number): Promise<boolean> {
    const { model } = this;
    await model.readUpTo(max);
    // Meanwhile the filters may be others.
    if (model !== this.model) return true;
    const keys = this.#keysHere();
    this.checkOnly(keys.slice(0, max));
    return !model.hasMore && keys.length <= max;
  }

  /** Lists the keys of the rows that were read, without those that are gone. */
  #keysHere(): readonly string[] {
    const { model, source } = this;
    return model.rows.map(source.keyOf).filter((key) => !model.isGone(key));
  }

  /** The key of the row that has the focus. */
  get focusedKey(): string | undefined {
    const row = this.model.rows[this.#findFocused() ?? -1];
    return row === undefined ? undefined : this.source.keyOf(row);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has('source')) return;
    const { load, keyOf } = this.source;
    if (changed.get('source') !== undefined) this.model.stop();
    const model = new ListModel(load, keyOf);
    this.model = model;
    this.#checked.replace([]);
    this.scrolled = 0;
    model.changed.subscribe(() => {
      if (model === this.model) this.requestUpdate();
    });
    void model.read();
  }

  protected override firstUpdated(): void {
    const { scroller } = this;
    if (!scroller) return;
    const resized = new ResizeObserver(() => (this.height = scroller.clientHeight));
    resized.observe(scroller);
    this.#stops.push(() => resized.disconnect());
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('source') && this.scroller) this.scroller.scrollTop = 0;
  }

  protected override render(): TemplateResult {
    const { columns, label, canCheck } = this.source;
    const { rows, hasMore, phase } = this.model;
    const tracks = [...(canCheck ? ['2.25rem'] : []), ...columns.map(({ width }) => width)].join(' ');
    return html`${renderChips(this.source)}${this.#renderFresh()}${this.#renderFailure()}
      <div
        class="table ${canCheck ? 'checkable' : ''}"
        role="table"
        aria-label=${label}
        aria-rowcount=${hasMore ? -1 : rows.length + 1}
        aria-busy=${phase === 'loading'}
        ${style({ '--tracks': tracks, '--row': `${this.#rowHeight()}rem` })}
      >
        <div role="rowgroup">
          <div class="row head" role="row" aria-rowindex="1">
            ${canCheck ? html`<span role="columnheader"><span class="visually-hidden">${consoleTexts.list.checked}</span></span>` : nothing}
            ${columns.map(
              ({ head, isNumber }) =>
                html`<span role="columnheader" class=${isNumber ? 'number' : nothing}>${head}</span>`,
            )}
          </div>
        </div>
        <div class="rows" role="rowgroup" @scroll=${this.#scroll}>${this.#renderRows()}</div>
      </div>
      ${this.#renderEmpty()}`;
  }

  #renderFresh(): TemplateResult {
    const { freshCount } = this.model;
    return html`<div class="fresh" role="status">
      ${
        freshCount === 0
          ? nothing
          : html`<button type="button" class="main" @click=${this.#showFresh}>
              ${consoleTexts.list.fresh(freshCount)}
            </button>`
      }
    </div>`;
  }

  #renderFailure(): TemplateResult | typeof nothing {
    const { phase, error } = this.model;
    if (phase !== 'failed') return nothing;
    return html`<div class="trouble" role="alert">
      <p>${consoleTexts.list.failed(describeError(error))}</p>
      <button type="button" class="plain" @click=${this.read}>${consoleTexts.list.tryAgain}</button>
    </div>`;
  }

  /** Renders why there are no rows. A list that could not be read is not empty. */
  #renderEmpty(): TemplateResult | typeof nothing {
    const { rows, phase, hasMore } = this.model;
    const { chips = [], clear, empty } = this.source;
    if (rows.length > 0 || phase !== 'ready' || hasMore) return nothing;
    if (chips.length > 0)
      return html`<div class="empty">
        <p>${consoleTexts.list.noMatch(chips.map(({ label }) => label).join(', '))}</p>
        ${clear ? html`<button type="button" class="plain" @click=${clear}>${consoleTexts.list.clear}</button>` : nothing}
      </div>`;
    return html`<div class="empty">
      <p>${empty.sentence}</p>
      ${empty.command === undefined ? nothing : html`<p><code>${empty.command}</code></p>`}
    </div>`;
  }

  #renderRows(): TemplateResult {
    const { rows, phase } = this.model;
    const { keyOf } = this.source;
    if (rows.length === 0 && phase === 'loading')
      return html`<div class="skeletons" aria-hidden="true">
        ${Array.from({ length: 6 }, () => html`<div class="row skeleton"></div>`)}
      </div>`;
    const pixels = this.#rowHeight() * rootFontSize();
    const { first, end } = this.isPrinting
      ? { first: 0, end: rows.length }
      : findWindow(rows.length, pixels, this.scrolled, this.height);
    return html`<div class="spacer" role="presentation" ${style({ '--count': String(rows.length) })}>
      ${repeat(rows.slice(first, end), keyOf, (row, i) => this.#renderRow(row, first + i))}
    </div>`;
  }

  #renderRow(row: Row, at: number): TemplateResult {
    const { columns, keyOf, linkOf, canCheck } = this.source;
    const key = keyOf(row);
    const link = linkOf?.(row);
    return html`<div
      class="row ${this.model.isGone(key) ? 'gone' : ''}"
      role="row"
      aria-rowindex=${at + 2}
      data-at=${at}
      ${style({ '--at': String(at) })}
    >
      ${
        canCheck
          ? html`<span role="cell" class="box"
              ><input
                type="checkbox"
                .checked=${this.checked.has(key)}
                aria-label=${consoleTexts.list.select(key)}
                @click=${({ shiftKey }: MouseEvent) => this.#check(at, shiftKey)}
            /></span>`
          : nothing
      }
      ${renderCells(columns, row, link)}
    </div>`;
  }

  readonly #scroll = (): void => {
    const { scroller, model } = this;
    if (!scroller) return;
    this.scrolled = scroller.scrollTop;
    const pixels = this.#rowHeight() * rootFontSize();
    const isNearEnd = scroller.scrollTop + scroller.clientHeight > (model.rows.length - AHEAD) * pixels;
    if (isNearEnd && model.phase === 'ready') void model.readMore();
  };

  readonly #showFresh = async (): Promise<void> => {
    await this.model.read();
    this.scroller?.scrollTo({ top: 0 });
    await this.updateComplete;
    this.#focus(0);
  };

  #check(at: number, isRange: boolean): void {
    this.#checked.toggle(this.model.rows.map(this.source.keyOf), at, isRange);
    this.#notifyChecked();
  }

  #notifyChecked(): void {
    this.requestUpdate();
    this.dispatchEvent(new CustomEvent('check'));
  }

  #findFocused(): number | undefined {
    const row = document.activeElement?.closest<HTMLElement>('.row[data-at]');
    return row && this.contains(row) ? Number(row.dataset['at']) : undefined;
  }

  #focus(at: number): void {
    const { scroller } = this;
    if (!scroller) return;
    const pixels = this.#rowHeight() * rootFontSize();
    const top = at * pixels;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + pixels > scroller.scrollTop + scroller.clientHeight)
      scroller.scrollTop = top + pixels - scroller.clientHeight;
    this.#scroll();
    void this.updateComplete.then(() =>
      this.querySelector<HTMLElement>(`.row[data-at="${at}"] :is(a, button, input)`)?.focus({ preventScroll: true }),
    );
  }

  /** In rem. */
  #rowHeight(): number {
    if (phone.matches) return HEIGHTS.phone;
    return touch.matches ? HEIGHTS.touch : HEIGHTS[settings.density];
  }
}

function rootFontSize(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
}
