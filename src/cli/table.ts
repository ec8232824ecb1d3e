import { toVisibleText } from '../protocol/visible-text.js';

/** Length of a line below a row, in UTF-16 units without the indent. */
const LINE_LENGTH = 100;

/**
 * Formats rows as aligned columns. Their texts may be foreign: what is not seen in them is written out.
 * @param below a text for each row, whole below it, as {@link formatBelow} does
 */
export function formatTable(table: readonly (readonly string[])[], below: readonly string[] = []): string {
  const rows = table.map((row) => row.map(toVisibleText));
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows
    .map(
      (row, at) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n${formatBelow(below[at] ?? '')}`,
    )
    .join('');
}

/**
 * Formats a text below a row: each line is indented, so that none looks like a row, and a long one goes on in the next.
 * Nothing is cut.
 */
function formatBelow(text: string): string {
  if (text === '') return '';
  const lines = toVisibleText(text)
    .split(/\r?\n/)
    .flatMap((line) => line.match(new RegExp(`.{1,${LINE_LENGTH}}`, 'gsu')) ?? ['']);
  return lines.map((line) => `    ${line}\n`).join('');
}

/** Formats a duration with its two largest units. */
export function formatDuration(seconds: number): string {
  const parts: string[] = [];
  let rest = Math.floor(seconds);
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / size);
    rest %= size;
    if (count > 0 || (unit === 's' && parts.length === 0)) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(' ');
}
