import type { Json } from '../core/store/index.js';
import { parseSqliteUrl } from './sqlite/sqlite-url.js';

/** The state of a store that is examined without being opened. */
export interface StoreExamination {
  /** In words for the operator. */
  readonly says: string;
  /** The process that has the store open. */
  readonly holder: number | undefined;
  /** The files or folders that a gateway must be able to write. */
  readonly writes: readonly string[];
  /** The settings that were changed at run time, as JSON by key. */
  readonly settings: Readonly<Record<string, Json>>;
}

/**
 * Examines the store of a URL, which a gateway may have open. Writes nothing.
 * @param onTable if given, everything that is stored is read, and it is called before each part
 * @throws Error for the operator
 */
export async function examineStore(
  url: string,
  onTable?: (table: string, n: number, of: number) => void,
): Promise<StoreExamination> {
  const path = parseSqliteUrl(url);
  if (path === undefined)
    return { says: `${url} keeps nothing after a stop`, holder: undefined, writes: [], settings: {} };
  const { examineDatabase } = await import('./sqlite/examine-database.js');
  const { version, newest, holder, settings } = examineDatabase(path, onTable);
  const state =
    version === undefined
      ? 'does not exist yet; the first start creates it'
      : version === newest
        ? `has schema version ${version}`
        : `has schema version ${version}; the next start migrates it to ${newest} and keeps a copy`;
  const user = holder === undefined ? '' : `; in use by the process ${holder}`;
  const checked = onTable && version !== undefined ? '; every page was checked' : '';
  return { says: `${url} ${state}${checked}${user}`, holder, writes: [path], settings };
}
