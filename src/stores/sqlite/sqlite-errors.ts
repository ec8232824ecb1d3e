/** Primary result codes of SQLite for errors of a call, not of the file (https://sqlite.org/rescode.html). */
const FAULTS_OF_A_CALL: ReadonlySet<number> = new Set([
  1, // ERROR
  18, // TOOBIG
  19, // CONSTRAINT
  20, // MISMATCH
  21, // MISUSE
  25, // RANGE
]);

/** Returns the primary result code of an SQLite error; undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' ? code & 0xff : undefined;
}

/**
 * Returns whether an error means that the store cannot read or commit now: full disk, I/O error, read-only, locked by another
 * process.
 */
export function isUnavailable(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== undefined && !FAULTS_OF_A_CALL.has(code);
}

const BUSY = 5;
const LOCKED = 6;

/** Returns whether an error means that another connection holds the lock. */
export function isLocked(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === BUSY || code === LOCKED;
}

const CORRUPT = 11;
const NOT_A_DATABASE = 26;

/** Returns whether an error means that the file is damaged or not a database. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === CORRUPT || code === NOT_A_DATABASE;
}
