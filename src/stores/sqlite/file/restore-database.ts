import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StoreCopy } from '../../../core/store/index.js';
import type { RestoredStore, SettledCopy } from '../../store-engine.js';
import { checkDatabase } from './check-database.js';
import { describeCopy } from './copy-database.js';
import { ENDINGS, makeFolder } from './database.js';
import { lockFile } from './file-lock.js';
import { MIGRATIONS, readVersion } from '../schema/migrations.js';
import { callOf } from '../operations/index.js';
import { findRealFile } from './real-file.js';
import { prepare } from '../sql/statement.js';
import { openStateMachine } from '../state-machine.js';

/**
 * Puts a copy in the place of a database. It is written beside, checked, and renamed; the database of before is kept.
 * @param write writes the copy to the path that it gets
 * @param check throws if the copy is not what was promised
 * @throws Error for the operator: in use by a gateway, damaged, of a newer gateway
 */
export async function restoreDatabase(
  given: string,
  write: (target: string) => Promise<void>,
  check: (copy: StoreCopy) => void,
  now: number,
): Promise<RestoredStore> {
  makeFolder(dirname(resolve(given)));
  const path = existsSync(given) ? findRealFile(given) : given;
  const lock = lockFile(path);
  const target = `${path}.restored`;
  try {
    removeDatabase(target);
    await write(target);
    const finding = checkDatabase(target, 'integrity_check');
    if (finding !== undefined) throw new Error(`the database in the backup is damaged (${finding})`);
    check(describeCopy(target));
    const settled = settle(target, now);
    const kept = keepOld(path, now);
    syncFile(target);
    renameSync(target, path);
    syncFile(dirname(resolve(path)));
    return { place: path, kept, settled };
  } finally {
    removeDatabase(target);
    lock.release();
  }
}

/**
 * Keeps the database of before under another name, with its write-ahead log: that one must not be read with the pages of the
 * copy.
 */
function keepOld(path: string, now: number): string | undefined {
  if (!existsSync(path)) return undefined;
  const kept = `${path}.before-restore-${new Date(now).toISOString().replaceAll(/[:.]/g, '-')}`;
  linkSync(path, kept);
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${kept}-wal`);
  rmSync(`${path}-shm`, { force: true });
  return kept;
}

function removeDatabase(path: string): void {
  for (const ending of [...ENDINGS, '.lock']) rmSync(`${path}${ending}`, { force: true });
}

function syncFile(path: string): void {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}

/** Settles what was under way when the copy was made: it has been answered and delivered since, in what is lost now. */
function settle(path: string, now: number): SettledCopy {
  const migrated = readVersionOf(path) < (MIGRATIONS.at(-1)?.version ?? 0);
  const messages = cancelWaiting(path, now);
  if (migrated) for (const { version } of MIGRATIONS) rmSync(`${path}.before-v${version}`, { force: true });
  const database = new DatabaseSync(path);
  try {
    database.exec('BEGIN');
    const changes = (sql: string, ...values: (string | number)[]) =>
      Number(prepare(database, sql).run(...values).changes);
    const settled: SettledCopy = {
      messages,
      inbox: changes('DELETE FROM inbox'),
      notes: changes(
        "UPDATE outbox SET state = 'dead', reason = ? WHERE content IS NOT NULL AND state IN ('waiting', 'sending')",
        'restored from a backup: it may have been sent since',
      ),
      sessions: changes(CONFIRM_ALL),
    };
    changes(
      "UPDATE cron_runs SET status = 'skipped', reason = 'restored from a backup', ended_at = ? WHERE status = 'running'",
      now,
    );
    // Due times since the copy have started their jobs already.
    changes('UPDATE cron_jobs SET base = max(base, ?)', now);
    database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
    return settled;
  } finally {
    database.close();
  }
}

/** Confirms for each driver all that is in the logs of its channel. */
const CONFIRM_ALL = `
  INSERT INTO cursors (client, session, seq)
    SELECT client, sessions.session, max(seq) FROM clients
    JOIN sessions ON clients.tenant = sessions.tenant AND principal = 'channel:' || channel
    JOIN frames ON frames.session = sessions.session GROUP BY client, sessions.session
  ON CONFLICT (client, session) DO UPDATE SET seq = excluded.seq WHERE seq < excluded.seq`;

function readVersionOf(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return readVersion(database, path, MIGRATIONS);
  } finally {
    database.close();
  }
}

/** Ends all messages that are not finished as cancelled. Returns how many. */
function cancelWaiting(path: string, now: number): number {
  const { machine, close } = openStateMachine(path, { now, elapsed: 0 });
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    const waiting = prepare<{ sessionId: string; tenant: string; count: number }>(
      database,
      'SELECT id AS sessionId, tenant, count(*) AS count FROM queue JOIN sessions USING (session) GROUP BY id, tenant',
    ).all();
    database.close();
    for (const { sessionId, tenant } of waiting) {
      const call = callOf('cancel', { by: 'session', tenant, sessionId }, now);
      const [failure] = machine.run({ kind: 'write', now, elapsed: 0, calls: [call] }).failures;
      if (failure) throw failure.error;
    }
    return waiting.reduce((sum, { count }) => sum + count, 0);
  } finally {
    close();
  }
}
