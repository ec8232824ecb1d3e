/** Returns the cells of a table, row by row, the header first. `read` returns the text of a cell. */
function readCells(table: HTMLTableElement, read: (cell: Element) => string): string[][] {
  return [...table.rows].map((row) => [...row.cells].map((cell) => read(cell).replaceAll(/\s+/g, ' ').trim()));
}

export function writeMarkdownTable(table: HTMLTableElement, read: (cell: Element) => string): string {
  const [header = [], ...rows] = readCells(table, read);
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const alignments = [...(table.rows[0]?.cells ?? [])].map((cell) => RULES[cell.getAttribute('align') ?? ''] ?? '---');
  return [line(header), line(alignments), ...rows.map(line)].join('\n');
}

const RULES: Readonly<Record<string, string>> = { left: ':--', center: ':-:', right: '--:' };

/** Returns a table as CSV (RFC 4180). */
export function writeCsv(table: HTMLTableElement, read: (cell: Element) => string): string {
  const field = (cell: string) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return readCells(table, read)
    .map((cells) => `${cells.map(field).join(',')}\r\n`)
    .join('');
}
