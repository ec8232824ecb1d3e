import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Compares the messages that a chat shows with the answers that it should show, all as lines. An answer may fill several
 * messages.
 * @returns the number of superfluous messages; undefined unless each answer is there, whole and in order
 */
export function countSurplus(
  shown: readonly (readonly string[])[],
  answers: readonly (readonly string[])[],
): number | undefined {
  const rest = answers.map((lines) => [...lines]);
  let surplus = 0;
  shown.forEach((lines, at) => {
    const [wanted = []] = rest;
    if (!isBeginning(lines, wanted) || isBeginning(lines, shown[at + 1])) surplus++;
    else if (wanted.splice(0, lines.length) && wanted.length === 0) rest.shift();
  });
  return rest.length === 0 ? surplus : undefined;
}

/** Returns whether `lines` begin `all`. A message that begins the next one was sent again, with more. */
function isBeginning(lines: readonly string[], all: readonly string[] | undefined): boolean {
  return all !== undefined && lines.every((line, n) => line === all[n]);
}

/** Reads the number `n` that a query returns from a store, by default that of a gateway. */
export function readNumber(folder: string, sql: string, store = 'data/gateway.db'): number {
  const database = new DatabaseSync(join(folder, store), { readOnly: true });
  try {
    return Number(database.prepare(sql).get()?.['n']);
  } finally {
    database.close();
  }
}
