import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { lockFile, type FileLock } from './file-lock.js';
import { migrate, MIGRATIONS, type Migration } from '../schema/migrations.js';
import { findRealFile } from './real-file.js';
import { isDamage, sqliteCode } from '../sqlite-errors.js';

/**
 * A commit is on the disk when it returns. The write-ahead log is checkpointed every 16 MiB, less often than by
 * default, so that pages that change often are written back less often.
 */
const SETTINGS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 0;
  PRAGMA wal_autocheckpoint = 4096;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA cache_size = -8192;
  PRAGMA temp_store = MEMORY;
`;

/** Endings of the names of a database's files: its own, and those that SQLite keeps beside it. */
export const ENDINGS = ['', '-journal', '-wal', '-shm'] as const;

/** An open, migrated database that this process owns. */
export interface OpenDatabase {
  readonly database: DatabaseSync;
  /** The schema versions that were applied. */
  readonly migrated: readonly number[];
  /** The last process to have it open did not close it: a crash, or a power failure. */
  readonly isRecovered: boolean;
  close(): void;
}

/**
 * Opens the database, creates it if it does not exist, and migrates it.
 * @param given path of the file; undefined for a database in memory
 * @throws Error for the operator: in use by another process, damaged, too new, not a gateway's, not accessible
 */
export function openDatabase(given: string | undefined, migrations: readonly Migration[] = MIGRATIONS): OpenDatabase {
  let path = given;
  let lock: FileLock | undefined;
  let database: DatabaseSync | undefined;
  try {
    if (path !== undefined) {
      makeFolder(dirname(resolve(path)));
      path = findRealFile(path);
      lock = lockFile(path);
      // Created here, so that only its owner can read it, and after locking: closing a file drops the locks that the
      // same process holds on it (POSIX).
      closeSync(openSync(path, 'a', 0o600));
    }
    database = new DatabaseSync(path ?? ':memory:', { enableForeignKeyConstraints: false, timeout: 0 });
    return prepare(database, path, migrations, lock);
  } catch (error) {
    database?.close();
    lock?.discard();
    throw explainOpening(error, path);
  }
}

function prepare(
  database: DatabaseSync,
  path: string | undefined,
  migrations: readonly Migration[],
  lock: FileLock | undefined,
): OpenDatabase {
  // Closing a database empties its write-ahead log, and removes it.
  const log = path === undefined ? undefined : statSync(`${path}-wal`, { throwIfNoEntry: false });
  const migrated = migrate(database, path, migrations);
  database.exec(SETTINGS);
  return {
    database,
    migrated,
    isRecovered: log !== undefined && log.size > 0,
    close() {
      database.close();
      lock?.release();
    },
  };
}

/** Creates the folder and those above it, and syncs the parent of each, so that a power failure cannot lose the folder with its contents. */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const above = dirname(folder);
  // Not with `recursive`: on file systems without new folders, such as /proc, Node then never returns.
  if (above !== folder) makeFolder(above);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it.
    if (!existsSync(folder)) throw error;
  }
  if (process.platform === 'win32') return;
  const parent = openSync(above, 'r');
  fsyncSync(parent);
  closeSync(parent);
}

/** Converts an error while opening into one with a message for the operator. */
export function explainOpening(error: unknown, path: string | undefined): unknown {
  const message = error instanceof Error ? error.message : String(error);
  if (isDamage(error)) return new Error(describeDamage(path, message, ' Nothing was changed.'), { cause: error });
  const fromSystem = error instanceof Error && 'syscall' in error;
  if (sqliteCode(error) === undefined && !fromSystem) return error;
  return new Error(
    `the database ${path} cannot be opened (${message}): check that its folder can be written to and has room, ` +
      'or set store.url to another place',
    { cause: error },
  );
}

/** Describes the damage of a database and its repair, in words for the operator. */
export function describeDamage(path: string | undefined, finding: string, note = ''): string {
  return (
    `the database ${path} is damaged (${finding}).${note} Stop the gateway, move the file away and restore a backup, ` +
    `or save what can be read with: sqlite3 ${path} .recover | sqlite3 recovered.db`
  );
}
