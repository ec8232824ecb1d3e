import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { AuditHead, StoreCopy } from '../../../core/store/index.js';
import { checkDatabase } from './check-database.js';
import { prepare, required } from '../sql/statement.js';

/**
 * Writes a consistent copy of a database that another connection may write to, and checks it. Not SQLite's backup API: it
 * begins again whenever another connection writes.
 * @param target the path of the copy, which only its owner can read
 * @throws Error if there is a file at `target`, no room, or damage
 */
export function copyDatabase(path: string, target: string): StoreCopy {
  closeSync(openSync(target, 'wx', 0o600));
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    database.prepare('VACUUM INTO ?').run(target);
  } finally {
    database.close();
  }
  const finding = checkDatabase(target, 'quick_check');
  if (finding !== undefined) throw new Error(`the copy is damaged (${finding})`);
  return describeCopy(target);
}

/** Describes a database that no gateway has open. */
export function describeCopy(path: string): StoreCopy {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const get = <R>(sql: string): R => required(prepare<R>(database, sql).get());
    return {
      schemaVersion: get<{ user_version: number }>('PRAGMA user_version').user_version,
      logEpoch: get<{ name: string }>('SELECT name FROM epochs ORDER BY number DESC LIMIT 1').name,
      counts: countRows(database),
      audit: { ...get<AuditHead>('SELECT audit_sequence AS sequence, audit_hash AS hash FROM gateway') },
      media: prepare<{ mediaId: string; sizeBytes: number }>(
        database,
        'SELECT media_id AS mediaId, size_bytes AS sizeBytes FROM media ORDER BY media_id',
      )
        .all()
        .map((row) => ({ ...row })),
    };
  } finally {
    database.close();
  }
}

function countRows(database: DatabaseSync): Record<string, number> {
  const tables = prepare<{ name: string }>(
    database,
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' AND name NOT LIKE 'memory_words%' ORDER BY name",
  );
  const count = (name: string) =>
    prepare<{ rows: number }>(database, `SELECT count(*) AS rows FROM "${name}"`).get()?.rows;
  return Object.fromEntries(tables.all().map(({ name }) => [name, count(name) ?? 0]));
}
