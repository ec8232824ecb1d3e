import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach } from 'vitest';

/** The place of a database that does not exist yet. */
export interface DatabaseFile {
  /** A folder of its own, which is removed after the test. */
  readonly folder: string;
  readonly path: string;
}

/** Calls `take` with a new place before each test. */
export function useDatabaseFile(take: (file: DatabaseFile) => void): void {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sqlite-'));
    take({ folder, path: join(folder, 'gateway.db') });
  });
  afterEach(() => rmSync(folder, { recursive: true }));
}

/** Reads the first value of a query from a file that may be open elsewhere. */
export function readValue(path: string, sql: string): unknown {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return Object.values(database.prepare(sql).get() ?? {})[0];
  } finally {
    database.close();
  }
}
