import type { DatabaseSync } from 'node:sqlite';
import { chainAudit } from '../../core/audit/audit-chain.js';
import { noteOfSweep } from '../../core/audit/audit-notes.js';
import { DAY_MS } from '../../core/time/clock.js';
import type { AuditHead, AuditNote, AuditQuery, AuditRow } from '../../core/store/index.js';
import { prepare, required } from './rows.js';
import { MAX_STEP_ROWS, type SweepBudget } from './sweep-budget.js';

const COLUMNS = `sequence, at, tenant, actor, action, target, before, after, previous_hash AS previousHash, hash`;

const MATCHES = `(?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR actor = ?2) AND (?3 IS NULL OR action = ?3)
  AND (?4 IS NULL OR at >= ?4) AND (?5 IS NULL OR at < ?5)`;

/** The audit trail: a chain of hashed rows, each added in the transaction of its change. */
export class AuditTrail {
  private readonly selectHead;
  private readonly setHead;
  private readonly insert;
  private readonly selectNewest;
  private readonly selectOldest;
  private readonly selectExpired;
  private readonly deleteUpTo;

  constructor(database: DatabaseSync) {
    this.selectHead = prepare<AuditHead>(
      database,
      'SELECT audit_sequence AS sequence, audit_hash AS hash FROM gateway',
    );
    this.setHead = prepare(database, 'UPDATE gateway SET audit_sequence = ?, audit_hash = ?');
    this.insert = prepare(
      database,
      `INSERT INTO audit (sequence, at, tenant, actor, action, target, before, after, previous_hash, hash)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    // Not the newest row: the head names it.
    this.selectExpired = prepare<AuditHead & { at: number }>(
      database,
      'SELECT sequence, hash, at FROM audit WHERE sequence < ? ORDER BY sequence LIMIT ?',
    );
    this.deleteUpTo = prepare(database, 'DELETE FROM audit WHERE sequence <= ?');
    const select = (order: string) => `SELECT ${COLUMNS} FROM audit WHERE ${MATCHES} AND ${order} LIMIT ?7`;
    this.selectNewest = prepare<AuditRow>(database, select('(?6 IS NULL OR sequence < ?6) ORDER BY sequence DESC'));
    this.selectOldest = prepare<AuditRow>(database, select('(?6 IS NULL OR sequence > ?6) ORDER BY sequence'));
  }

  add(at: number, note: AuditNote): void {
    const row = chainAudit(this.readHead(), at, note);
    const { sequence, tenant, actor, action, target, before, after, previousHash, hash } = row;
    this.insert.run(sequence, at, tenant, actor, action, target, before, after, previousHash, hash);
    this.setHead.run(sequence, hash);
  }

  /**
   * Deletes the oldest rows within the budget, as far as all are from before a time, and adds the row that says so. Waits
   * until they fill a step or a day has passed, so that it adds fewer rows than it deletes. Returns true if there may be
   * more.
   */
  sweep(now: number, before: number | undefined, budget: SweepBudget): boolean {
    if (before === undefined) return false;
    let swept: AuditHead | undefined;
    const isDone = budget.repeat(() => {
      const old = this.listExpired(before);
      const last = old.at(-1);
      if (!last || (old.length < MAX_STEP_ROWS && !swept && (old[0]?.at ?? 0) >= before - DAY_MS)) return 0;
      this.deleteUpTo.run(last.sequence);
      swept = last;
      return old.length;
    });
    if (swept) this.add(now, noteOfSweep(swept));
    return !isDone;
  }

  /** Returns the oldest rows, for one step, as far as all are from before a time. */
  private listExpired(before: number): (AuditHead & { readonly at: number })[] {
    const oldest = this.selectExpired.all(this.readHead().sequence, MAX_STEP_ROWS);
    const kept = oldest.findIndex(({ at }) => at >= before);
    return kept === -1 ? oldest : oldest.slice(0, kept);
  }

  readHead(): AuditHead {
    return required(this.selectHead.get());
  }

  list({ tenant, actor, action, from, to, order, after, limit }: AuditQuery): AuditRow[] {
    const select = order === 'newest' ? this.selectNewest : this.selectOldest;
    const values = [tenant, actor, action, from, to, after].map((value) => value ?? null);
    return select.all(...values, limit);
  }
}
