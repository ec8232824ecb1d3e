/** A line of a comparison. */
export interface DiffLine {
  readonly kind: 'same' | 'old' | 'new';
  readonly text: string;
}

/** Texts with more pairs of lines are not compared line by line: the table below would not fit into memory. */
const MAX_PAIRS = 1_000_000;

/** Compares two texts line by line: what both have, what is gone and what is new, in reading order. */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const [old, fresh] = [before.split('\n'), after.split('\n')];
  if (old.length * fresh.length > MAX_PAIRS) return [...mark('old', old), ...mark('new', fresh)];
  const common = measureCommon(old, fresh);
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < fresh.length) {
    const [a, b] = [old[i], fresh[j]];
    if (a !== undefined && a === b) {
      lines.push({ kind: 'same', text: a });
      [i, j] = [i + 1, j + 1];
    } else if (b === undefined || (a !== undefined && at(common, i + 1, j) >= at(common, i, j + 1))) {
      lines.push({ kind: 'old', text: a ?? '' });
      i++;
    } else {
      lines.push({ kind: 'new', text: b });
      j++;
    }
  }
  return lines;
}

/** Writes a value of JSON for people: text as it is, everything else with one part per line. */
export function writeValue(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? '');
}

function mark(kind: DiffLine['kind'], lines: readonly string[]): DiffLine[] {
  return lines.map((text) => ({ kind, text }));
}

/** Returns how many lines the rests of both texts have in common, for each pair of places. */
function measureCommon(old: readonly string[], fresh: readonly string[]): readonly Uint32Array[] {
  const table = Array.from({ length: old.length + 1 }, () => new Uint32Array(fresh.length + 1));
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = fresh.length - 1; j >= 0; j--) {
      const row = table[i];
      if (!row) continue;
      row[j] = old[i] === fresh[j] ? at(table, i + 1, j + 1) + 1 : Math.max(at(table, i + 1, j), at(table, i, j + 1));
    }
  return table;
}

function at(table: readonly Uint32Array[], i: number, j: number): number {
  return table[i]?.[j] ?? 0;
}
