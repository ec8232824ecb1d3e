import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { Json } from '../../../core/store/index.js';
import { NO_JOBS, type MovedChatOf, type StoredJobs } from '../../store-engine.js';
import { checkDatabase, type CheckProgress } from './check-database.js';
import { describeDamage, explainOpening } from './database.js';
import { findLockHolder } from './file-lock.js';
import { MIGRATIONS, readVersion } from '../schema/migrations.js';
import { findRealFile } from './real-file.js';

/** The state of a database that is examined without being opened for writing. */
export interface DatabaseExamination {
  /** Undefined when there is no database yet. */
  readonly version: number | undefined;
  /** The newest version that this gateway knows, to which a start migrates the database. */
  readonly newest: number;
  /** The process that has the database open. */
  readonly holder: number | undefined;
  /** The settings that were changed at run time, as JSON by key. */
  readonly settings: Readonly<Record<string, Json>>;
  readonly jobs: StoredJobs;
  readonly movedChats: readonly MovedChatOf[];
}

/**
 * Examines a database, which a gateway may have open. Writes nothing.
 * @param onTable reads the whole file, and is called with each table
 * @throws Error for the operator: damaged, too new, not a gateway's, not accessible
 */
export function examineDatabase(given: string, onTable?: CheckProgress): DatabaseExamination {
  const newest = MIGRATIONS.at(-1)?.version ?? 0;
  if (!existsSync(given))
    return { version: undefined, newest, holder: undefined, settings: {}, jobs: NO_JOBS, movedChats: [] };
  const path = findRealFile(given);
  const holder = findLockHolder(path);
  const place = holder === undefined ? placeOf(path) : path;
  const content = readContent(place, path);
  const finding = onTable && checkDatabase(place, 'integrity_check', onTable);
  if (finding !== undefined) throw new Error(describeDamage(path, finding));
  return { ...content, newest, holder };
}

/** Returns the name of a file under which reading it creates none beside it; its path if it has a log to read. */
function placeOf(path: string): string | URL {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (log !== undefined && log.size > 0) return path;
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  return url;
}

function readContent(
  place: string | URL,
  path: string,
): Pick<DatabaseExamination, 'settings' | 'jobs' | 'movedChats'> & { version: number } {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(place, { readOnly: true });
    const version = readVersion(database, path, MIGRATIONS);
    const rows = version === 0 ? [] : database.prepare('SELECT key, value FROM settings').all();
    const settings = Object.fromEntries(rows.map(({ key, value }) => [String(key), String(value)]));
    return { version, settings, jobs: readJobs(database), movedChats: readMovedChats(database) };
  } catch (error) {
    throw explainOpening(error, path);
  } finally {
    database?.close();
  }
}

function readMovedChats(database: DatabaseSync): MovedChatOf[] {
  if (!database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'moved_chats'").get()) return [];
  const rows = database.prepare('SELECT channel, "from", "to" FROM moved_chats').all();
  return rows.map(({ channel, from, to }) => ({ channel: String(channel), from: String(from), to: String(to) }));
}

/** Reads what there is about jobs. A store of an older version has none. */
function readJobs(database: DatabaseSync): StoredJobs {
  if (!database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'cron_runs'").get()) return NO_JOBS;
  const row = database
    .prepare(
      `SELECT (SELECT count(*) FROM cron_jobs) AS count,
         max((SELECT coalesce(max(base), 0) FROM cron_jobs), (SELECT coalesce(max(due), 0) FROM cron_runs)) AS lastDue`,
    )
    .get();
  return { count: Number(row?.['count']), lastDue: Number(row?.['lastDue']) };
}
