import { existsSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { isLocked } from '../sqlite-errors.js';

/** A lock that is held until it is released or its process ends in any way. */
export interface FileLock {
  release(): void;
  /** Releases the lock of a file that could not be opened, and leaves no lock file where there was none. */
  discard(): void;
}

/**
 * Takes the lock file of a database (`gateway.db.lock`): two gateways on one file would both answer its messages.
 *
 * It is a lock of the operating system, taken through SQLite as a write transaction that stays open. A crash leaves
 * nothing to clean up, and other processes can read the owner's process id from the lock file.
 * @throws Error that names the process that holds it
 */
export function lockFile(path: string): FileLock {
  const isNew = !existsSync(`${path}.lock`);
  const database = new DatabaseSync(`${path}.lock`, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE');
    database.exec(`PRAGMA busy_timeout = 1000; PRAGMA user_version = ${process.pid}; COMMIT`);
    database.exec('PRAGMA busy_timeout = 0; BEGIN IMMEDIATE');
    return {
      release: () => database.close(),
      discard() {
        // Removed while it is held, so that no other process can hold the same lock.
        if (isNew) rmSync(`${path}.lock`, { force: true });
        database.close();
      },
    };
  } catch (error) {
    const owner = isLocked(error) ? readOwner(database) : undefined;
    database.close();
    if (!isLocked(error)) throw error;
    throw new Error(
      `the database ${path} is in use by ${owner ? `the process ${owner}` : 'another process'}: ` +
        'stop that gateway, or set store.url to another file',
      { cause: error },
    );
  }
}

/** Returns the process that holds the lock of a database; undefined if none does. Creates no lock file. */
export function findLockHolder(path: string): number | undefined {
  if (!existsSync(`${path}.lock`)) return undefined;
  const database = new DatabaseSync(`${path}.lock`, { timeout: 0 });
  try {
    database.exec('BEGIN IMMEDIATE; ROLLBACK');
    return undefined;
  } catch (error) {
    if (isLocked(error)) return readOwner(database);
    throw error;
  } finally {
    database.close();
  }
}

function readOwner(database: DatabaseSync): number | undefined {
  try {
    return database.prepare('PRAGMA user_version').get()?.['user_version'] as number;
  } catch {
    return undefined;
  }
}
