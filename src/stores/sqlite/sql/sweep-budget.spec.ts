import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../core/time/clock.js';
import { ApprovalOperations } from './approval-operations.js';
import { AuditTrail } from './audit-trail.js';
import { openDatabase, type OpenDatabase } from '../file/database.js';
import { MediaOperations } from './media-operations.js';
import { SweepBudget } from './sweep-budget.js';

const NOW = 10 * DAY_MS;

let opened: OpenDatabase;
let elapsed = 0;
/** A budget for which two milliseconds pass each time the clock is read. */
const aBudget = () => new SweepBudget(() => (elapsed += 2));
beforeEach(() => (opened = openDatabase(undefined)));
afterEach(() => opened.close());

function count(table: string): number {
  return Number(opened.database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);
}

/** Adds `rows` rows for the numbers from 1 on, written as `n` in `values`. */
function fill(table: string, rows: number, values: string): void {
  opened.database.exec(`WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${rows})
    INSERT INTO ${table} SELECT ${values} FROM numbers`);
}

describe('a sweep returns after five milliseconds, and goes on with the next call', () => {
  it('of approvals', () => {
    fill(
      `approvals (approval_id, tenant, session_id, message_ref, call_id, tool, arguments, arguments_sha256, expires_at)`,
      400,
      "'a' || n, 'acme', 's', 'm', 'c' || n, 't', '{}', '', 1",
    );
    const approvals = new ApprovalOperations(opened.database, new AuditTrail(opened.database));
    expect(approvals.sweep(NOW, aBudget())).toBe(true);
    expect(count('approvals')).toBe(250);
    while (approvals.sweep(NOW, aBudget()));
    expect(count('approvals')).toBe(0);
  });

  it('of the audit trail, with one row about each call', () => {
    const audit = new AuditTrail(opened.database);
    const note = { tenant: '*', actor: 'ann', action: 'x.y', target: 't', before: 'null', after: 'null' };
    for (let n = 0; n < 400; n++) audit.add(1, note);
    expect(audit.sweep(NOW, NOW, aBudget())).toBe(true);
    expect(count('audit')).toBe(251);
    while (audit.sweep(NOW, NOW, aBudget()));
    expect(count('audit')).toBe(3);
  });
});

describe('the list of expired media', () => {
  it('visits few files of those that have a session, and all of them in time', () => {
    const columns = 'media (media_id, tenant, principal, session_id, mime_type, size_bytes, created_at)';
    opened.database.exec(`INSERT INTO sessions (session, id, tenant, mode, channel, key_parts, created_at)
      VALUES (1, 's_1', 'acme', 'main', 'test', '[]', 1)`);
    fill(columns, 1_200, "'f_' || n, 'acme', 'ann', 's_1', 'text/plain', 1, 1");
    fill(columns, 1, "'f_orphan', 'acme', 'ann', 's_gone', 'text/plain', 1, 1");
    const media = new MediaOperations(opened.database);
    expect([1, 2, 3, 4].map(() => media.listExpired(NOW))).toEqual([[], [], ['f_orphan'], []]);
    fill(columns, 1, "'f_unclaimed', 'acme', 'ann', NULL, 'text/plain', 1, 1");
    expect(media.listExpired(NOW)).toEqual(['f_unclaimed']);
  });

  it('finds unclaimed files by an index', () => {
    const plan = opened.database.prepare(
      'EXPLAIN QUERY PLAN SELECT media_id FROM media WHERE session_id IS NULL AND created_at < 5',
    );
    expect(String(plan.get()?.['detail'])).toContain('media_unclaimed');
  });
});
