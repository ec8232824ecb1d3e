import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, type OpenDatabase } from '../file/database.js';
import { Sweeper } from './sweeper.js';
import { TableState } from '../state/table-state.js';

const NOW = 1_000_000;
const ALL_OLD = { framesBefore: NOW, dedupeBefore: NOW, sessionsBefore: NOW };

let opened: OpenDatabase;
/** Milliseconds that pass each time the sweeper reads the clock. */
let stepMs: number;
let elapsed: number;
let sweeper: Sweeper;
beforeEach(() => {
  opened = openDatabase(undefined);
  stepMs = 0;
  elapsed = 0;
  sweeper = new Sweeper(new TableState(opened.database, { now: NOW, elapsed: 0 }), () => (elapsed += stepMs));
});
afterEach(() => opened.close());

function count(table: string): number {
  return Number(opened.database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);
}

/** Adds `rows` rows for the numbers from 1 on, written as `n` in `values`. */
function fill(table: string, rows: number, values: string): void {
  opened.database.exec(`WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${rows})
    INSERT INTO ${table} SELECT ${values} FROM numbers`);
}

/** Adds an idle session with many frames, messages, participants and cursors. */
function addIdleSession(rows: number): void {
  opened.database
    .exec(`INSERT INTO sessions (session, id, tenant, mode, channel, key_parts, created_at, oldest_frame_at)
    VALUES (1, 's_1', 'acme', 'group', 'test', '[]', 1, 1)`);
  fill('frames (frame, session, seq, ord, type, timestamp, payload)', rows, "n, 1, n, n, 'stream_end', 1, '{}'");
  fill(
    'messages (ord, client, message_id, body_hash, session, priority, received_at, payload)',
    rows,
    "n, n, 'm' || n, '', 1, 1, 1, '{}'",
  );
  fill('participants', rows, "1, 'sender ' || n");
  fill('clients', rows, "n, 'acme', 'p', 'c' || n");
  fill('cursors', rows, 'n, 1, 0');
}

describe('a sweep', () => {
  it('returns after five milliseconds, and goes on with the next call until nothing is left', () => {
    addIdleSession(400);
    stepMs = 2;
    let calls = 0;
    let before = Number.POSITIVE_INFINITY;
    for (let more = true; more; calls++) {
      const startedAt = elapsed;
      more = sweeper.sweep(NOW, ALL_OLD);
      expect(elapsed - startedAt).toBeLessThan(5 + 2 * stepMs);
      const rows = count('frames') + count('messages') + count('participants') + count('cursors');
      // At most four steps of 50 rows fit in; a message takes part in two tables here.
      expect(before - rows).toBeLessThanOrEqual(before === Number.POSITIVE_INFINITY ? before : 200);
      before = rows;
    }
    expect(calls).toBeGreaterThan(8);
    for (const table of ['sessions', 'frames', 'messages', 'participants', 'cursors', 'clients'])
      expect([table, count(table)]).toEqual([table, 0]);
  });

  it('returns after a thousand rows when they take no time', () => {
    addIdleSession(2_500);
    expect(sweeper.sweep(NOW, ALL_OLD)).toBe(true);
    expect(count('frames')).toBeGreaterThanOrEqual(1_500);
    expect(count('frames')).toBeLessThan(2_000);
  });

  it('[S-16] forgets clients that follow channels when nothing else is known of them', () => {
    fill('clients', 4, "n, 'acme', 'p', 'c' || n");
    fill('followers', 3, `n, 1, 0, iif(n = 3, ${NOW}, 1)`);
    fill('cursors', 1, 'n, 1, 0');
    while (sweeper.sweep(NOW, ALL_OLD));
    const left = opened.database
      .prepare('SELECT client FROM followers')
      .all()
      .map(({ client }) => client);
    expect([left, count('clients')]).toEqual([[1, 3], 3]);
  });

  it('visits many sessions that are in use in portions, and begins again at the first', () => {
    fill(
      'sessions (session, id, tenant, mode, channel, key_parts, created_at)',
      3_000,
      `n, 's_' || n, 'acme', 'main', 'test', '[]', ${NOW}`,
    );
    let calls = 1;
    while (sweeper.sweep(NOW, ALL_OLD)) calls++;
    expect(calls).toBe(3);
    expect(count('sessions')).toBe(3_000);
    opened.database.exec('UPDATE sessions SET created_at = 1 WHERE session = 1');
    while (sweeper.sweep(NOW, ALL_OLD));
    expect(count('sessions')).toBe(2_999);
  });
});
