import { DatabaseSync } from 'node:sqlite';
import { isDamage } from '../sqlite-errors.js';

/** `quick_check` does not compare the entries of an index with the rows; `integrity_check` takes several times as long. */
export type CheckDepth = 'quick_check' | 'integrity_check';

/** Called before each table is checked. `n` counts from 1. */
export type CheckProgress = (table: string, n: number, of: number) => void;

/**
 * Reads a whole database and returns the first damage; undefined if there is none. Another connection may write to the
 * database meanwhile. Each table is a read of its own, so that checkpoints do not wait for the whole check.
 * @param place path of the file, or a `file:` URL
 */
export function checkDatabase(
  place: string | URL,
  depth: CheckDepth,
  onTable: CheckProgress = () => {},
): string | undefined {
  const database = new DatabaseSync(place, { readOnly: true });
  try {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0").all();
    const names = ['sqlite_schema', ...tables.map(({ name }) => String(name))];
    for (const [index, name] of names.entries()) {
      onTable(name, index + 1, names.length);
      const [finding] = database.prepare(`PRAGMA ${depth}('${name}')`).all();
      if (finding?.[depth] !== 'ok') return String(finding?.[depth]).replaceAll('\n', ' ');
    }
    return undefined;
  } catch (error) {
    if (isDamage(error)) return (error as Error).message;
    throw error;
  } finally {
    database.close();
  }
}
