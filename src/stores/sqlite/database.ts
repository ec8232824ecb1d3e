import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { lockFile, type FileLock } from './file-lock.js';
import { migrate, MIGRATIONS, type Migration } from './migrations.js';
import { findRealFile } from './real-file.js';
import { sqliteCode } from './sqlite-errors.js';

const CORRUPT = 11;
const NOT_A_DATABASE = 26;

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
  PRAGMA cache_size = -16384;
  PRAGMA temp_store = MEMORY;
`;

/** An open, migrated database that this process owns. */
export interface OpenDatabase {
  readonly database: DatabaseSync;
  /** The schema versions that were applied. */
  readonly migrated: readonly number[];
  close(): void;
}

/**
<<<<<<< HEAD
 * Opens the database, creates it if it does not exist, and migrates it.
 * @param path path of the file; undefined for a database in memory
 * @throws Error for the operator: in use by another process, damaged, too new, not a gateway's, not accessible
=======
 * Opens the database, makes it when there is none, and migrates it.
 * @param given path of the file; undefined for one in memory
 * @throws Error for the operator: in use by another process, damaged, too new, of another program, not accessible
>>>>>>> 52ca4bd (wip)
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
  const [finding] = database.prepare('PRAGMA quick_check(1)').all();
  if (finding?.['quick_check'] !== 'ok') throw new Error(damage(path, String(finding?.['quick_check'])));
  const migrated = migrate(database, path, migrations);
  database.exec(SETTINGS);
  return {
    database,
    migrated,
    close() {
      database.close();
      lock?.release();
    },
  };
}

/** Creates the folder and syncs its parent, so that a power failure cannot lose the folder with its contents. */
function makeFolder(folder: string): void {
  const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (first === undefined || process.platform === 'win32') return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) {
    const parent = openSync(dirname(made), 'r');
    fsyncSync(parent);
    closeSync(parent);
  }
}

/** Converts an error while opening into one with a message for the operator. */
export function explainOpening(error: unknown, path: string | undefined): unknown {
  const code = sqliteCode(error);
  const message = error instanceof Error ? error.message : String(error);
  if (code === CORRUPT || code === NOT_A_DATABASE) return new Error(damage(path, message), { cause: error });
  const fromSystem = error instanceof Error && 'syscall' in error;
  if (code === undefined && !fromSystem) return error;
  return new Error(
    `the database ${path} cannot be opened (${message}): check that its folder can be written to and has room, ` +
      'or set store.url to another place',
    { cause: error },
  );
}

function damage(path: string | undefined, finding: string): string {
  return (
    `the database ${path} is damaged (${finding}). Nothing was changed. Move it away and restore a backup, ` +
    `or save what can be read with: sqlite3 ${path} .recover | sqlite3 recovered.db`
  );
}
