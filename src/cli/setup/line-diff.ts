/** Unchanged lines that are shown around changes. */
const CONTEXT = 2;

interface Line {
  readonly sign: ' ' | '+' | '-';
  readonly text: string;
}

/** Returns the lines that differ between two texts, with some around them: `-` for removed, `+` for added ones. */
export function diffLines(before: string, after: string): string[] {
  const lines = compare(split(before), split(after));
  const isNear = lines.map((_, i) =>
    lines.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some(({ sign }) => sign !== ' '),
  );
  return lines.flatMap(({ sign, text }, i) => {
    if (!isNear[i]) return isNear[i - 1] === true ? ['...'] : [];
    return [`${sign} ${text}`];
  });
}

function split(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** Compares by the longest common subsequence. */
function compare(before: readonly string[], after: readonly string[]): Line[] {
  const lengths = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  const at = (i: number, j: number) => lengths[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--) {
      const row = lengths[i];
      if (row) row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && before[i] === after[j]) {
      lines.push({ sign: ' ', text: before[i] ?? '' });
      i++;
      j++;
    } else if (i < before.length && (j === after.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ sign: '-', text: before[i++] ?? '' });
    } else lines.push({ sign: '+', text: after[j++] ?? '' });
  }
  return lines;
}
