/**
 * Returns the data after a change by the agent. What the person has changed stays where the agent has not changed it too;
 * where both have, the agent's counts, but in the field that has the focus.
 * @param focus names of the parts that lead to the value of that field
 */
export function mergeData(base: unknown, next: unknown, local: unknown, focus?: readonly string[]): unknown {
  if (isSame(base, local)) return next;
  if (isParts(base) && isParts(next) && isParts(local) && isSameKind(next, local)) {
    const names = new Set([...Object.keys(next), ...Object.keys(local)]);
    const merged: Record<string, unknown> = {};
    for (const name of names) {
      const inner = focus?.[0] === name ? focus.slice(1) : undefined;
      const value = mergeData(base[name], next[name], local[name], inner);
      if (value !== undefined) merged[name] = value;
    }
    return Array.isArray(next) ? Object.assign([], merged) : merged;
  }
  return isSame(base, next) || focus !== undefined ? local : next;
}

type Parts = Readonly<Record<string, unknown>>;

function isParts(value: unknown): value is Parts {
  return typeof value === 'object' && value !== null;
}

/** Lists are merged element by element only if none was added or removed. */
function isSameKind(a: Parts, b: Parts): boolean {
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  return !Array.isArray(a) || a.length === (b as unknown as readonly unknown[]).length;
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
