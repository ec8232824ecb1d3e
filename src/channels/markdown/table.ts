/** The alignment of a column; only `right` makes a difference. */
type Align = 'left' | 'center' | 'right' | null;

const graphemes = new Intl.Segmenter();
const widthOf = (text: string) => Array.from(graphemes.segment(text)).length;

/** Returns a table as text whose columns are aligned. The first row is the header. */
export function alignTable(rows: readonly (readonly string[])[], align: readonly Align[]): string {
  const widths = align.map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, align[column] === 'right'))
      .join(' | ')
      .trimEnd(),
  );
  const rule = widths.map((width) => '-'.repeat(width)).join('-+-');
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

function pad(cell: string, width: number, isRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(cell)));
  return isRight ? space + cell : cell + space;
}
