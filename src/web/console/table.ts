import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { toVisibleText } from '../../protocol/visible-text.js';
import { style } from '../design/style.js';
import type { Column, ListSource } from './list.js';

/** A short list, all of whose rows are drawn. */
export type TableSource<Row> = Pick<ListSource<Row>, 'label' | 'columns' | 'keyOf' | 'linkOf'>;

/** Renders a short list in the look of the long ones. @param rows of which there are at most some dozens */
export function renderTable<Row>(
  { label, columns, keyOf, linkOf }: TableSource<Row>,
  rows: readonly Row[],
): TemplateResult {
  const tracks = columns.map(({ width }) => width).join(' ');
  return html`<div class="table short" role="table" aria-label=${label} ${style({ '--tracks': tracks })}>
    <div role="rowgroup">
      <div class="row head" role="row">
        ${columns.map(
          ({ head, isNumber }) => html`<span role="columnheader" class=${isNumber ? 'number' : nothing}>${head}</span>`,
        )}
      </div>
    </div>
    <div class="rows" role="rowgroup">
      ${repeat(
        rows,
        keyOf,
        (row) => html`<div class="row" role="row">${renderCells(columns, row, linkOf?.(row))}</div>`,
      )}
    </div>
  </div>`;
}

/** Renders the cells of a row; the first one is its link. */
export function renderCells<Row>(
  columns: readonly Column<Row>[],
  row: Row,
  link: string | undefined,
): readonly TemplateResult[] {
  return columns.map(({ cell, isNumber, phone = 'hidden' }, i) => {
    const content = renderContent(cell(row));
    return html`<span role="cell" class="cell ${isNumber ? 'number' : ''} on-phone-${phone}"
      >${i === 0 && link !== undefined ? html`<a href=${link}>${content}</a>` : content}</span
    >`;
  });
}

/** Renders what a cell shows. Its text may be foreign. */
function renderContent(content: unknown): unknown {
  return typeof content === 'string' ? html`<bdi>${toVisibleText(content)}</bdi>` : content;
}
