import { MAX_DEPTH } from './translate.js';

const OF_A_TABLE = /^[ \t|:>-]+$/;
/** Maximum addition of markup to a line without a table: the mark of a quote or an item, with spaces before it. */
const MAX_ADDED_TO_LINE = 4 * MAX_DEPTH;

/** Returns whether a text may have a table, which can become much longer when its columns are aligned. */
export function mayHaveTable(text: string): boolean {
  return text.split('\n').some((line) => line.includes('-') && OF_A_TABLE.test(line));
}

/** The lengths of a text in the unit of its platform. */
export interface Lengths {
  readonly plain: number;
  readonly max: number;
  /** Translates the text, and returns the length with markup. */
  readonly marked: () => number;
}

/** Returns the longer of the lengths with and without markup. Translates only a text that may be too long with markup. */
export function measureMarked(text: string, { plain, max, marked }: Lengths): number {
  const mayGrow = plain + text.split('\n').length * MAX_ADDED_TO_LINE > max || mayHaveTable(text);
  return plain > max || !mayGrow ? plain : Math.max(plain, marked());
}
