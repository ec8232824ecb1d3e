import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, type OpenDatabase } from '../file/database.js';
import { callOf } from '../operations/index.js';
import { MAX_VISITED } from './page-bounds.js';
import { SessionLists } from './session-lists.js';
import { SqliteStateMachine } from '../state-machine.js';
import { UsageOperations } from './usage-operations.js';

let opened: OpenDatabase;
beforeEach(() => (opened = openDatabase(undefined)));
afterEach(() => opened.close());

const planOf = (sql: string) =>
  opened.database
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map((row) => String(row['detail']));

describe('the lists of the administration', () => {
  it('[AD-20] read along keys: none scans a table or sorts', () => {
    for (const sql of [...SessionLists.statements(), ...UsageOperations.statements()]) {
      const bad = planOf(sql).filter((step) => /^SCAN (?!CONSTANT)|TEMP B-TREE/.test(step));
      expect([sql, bad]).toEqual([sql, []]);
    }
  });

  it('[AD-20] visit a bounded number of rows for a page, and the next pages go on', () => {
    const { database } = opened;
    const machine = new SqliteStateMachine(database, { now: 1_000, elapsed: 0 });
    database.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MAX_VISITED + 10})
      INSERT INTO sessions (id, tenant, mode, channel, agent, key_parts, created_at)
        SELECT 's_' || i, 'default', 'main', iif(i = 1, 'rare', 'test'), 'main', '["' || i || '"]', i FROM n`);
    const list = (after?: { at: number; asOf: number }) => {
      const query = { tenant: 'default', channels: ['rare'], order: 'created', after, limit: 50 } as const;
      const { results } = machine.run({ kind: 'read', now: 1_000, elapsed: 0, calls: [callOf('listSessions', query)] });
      return results[0] as { items: { id: string }[]; next?: { at: number; asOf: number } };
    };
    const pages = [list()];
    for (let next = pages[0]?.next; next; next = pages.at(-1)?.next) pages.push(list(next));
    expect(pages[0]?.items).toEqual([]);
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flatMap(({ items }) => items.map(({ id }) => id))).toEqual(['s_1']);
  });
});
