import { randomBytes } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { chainAudit, readAuditBody } from '../../../core/audit/audit-chain.js';
import { noteOfErasure, noteOfRetention } from '../../../core/audit/audit-notes.js';
import { DAY_MS } from '../../../core/time/clock.js';
import type {
  ErasedCounts,
  AuditHead,
  AuditNote,
  AuditPerson,
  AuditQuery,
  AuditRow,
  ChainedRow,
} from '../../../core/store/index.js';
import { prepare, required } from './statement.js';
import { MAX_STEP_ROWS, type SweepBudget } from './sweep-budget.js';

const COLUMNS = 'sequence, body, previous_hash AS previousHash, hash';

/** By how much the clock may ever have been set back: rows are looked for in the sequence that far beyond the times. */
const MAX_SET_BACK_MS = DAY_MS;

/** The condition of each filter, with the name of its value. Times select by the sequence, which an index on `at` finds. */
const CONDITIONS = {
  tenant: 'tenant = :tenant',
  actor: 'actor = :actor',
  action: 'action = :action',
  from: `at >= :from AND sequence >= (SELECT sequence FROM audit WHERE at >= :from - ${MAX_SET_BACK_MS} ORDER BY at LIMIT 1)`,
  to: `at < :to AND sequence <= (SELECT sequence FROM audit WHERE at < :to + ${MAX_SET_BACK_MS} ORDER BY at DESC LIMIT 1)`,
} as const;

const FILTERS = Object.keys(CONDITIONS) as readonly (keyof typeof CONDITIONS)[];

/** Replaces what shows a person by the ID. Not prepared ahead: migrations write rows before the column is there. */
const FORGET_DECIDER = 'UPDATE approvals SET decided_by = decider WHERE decider = ?';

/**
 * The audit trail: a chain of hashed rows, each added in the transaction of its change. The one thread that writes reads
 * the head in that transaction, so no two rows follow the same one.
 */
export class AuditTrail {
  private readonly statements;
  /** The statements that are prepared at their first use, by their text. */
  private readonly prepared = new Map<string, StatementSync>();

  constructor(private readonly database: DatabaseSync) {
    this.statements = { ...prepareRows(database), ...prepareSubjects(database) };
  }

  add(at: number, note: AuditNote): void {
    const subject = note.person && this.subjectOf(note.person);
    this.insert(chainAudit(this.readHead(), at, note, subject));
  }

  private insert({ sequence, body, previousHash, hash }: ChainedRow): void {
    this.statements.insert.run(sequence, body, previousHash, hash);
    this.statements.setHead.run(sequence, hash);
  }

  /** Returns the ID of a person, which is random: only the table of subjects says whom it means. */
  subjectOf(person: AuditPerson): string {
    const { tenant, channel, sender } = person;
    const known = this.findSubject(person);
    if (known !== undefined) return known;
    const subject = `p_${randomBytes(12).toString('base64url')}`;
    this.statements.addSubject.run(subject, tenant, channel, sender);
    return subject;
  }

  /** Returns the ID of a person; undefined if the trail has none. */
  findSubject({ tenant, channel, sender }: AuditPerson): string | undefined {
    return this.statements.findSubject.get(tenant, channel, sender)?.subject;
  }

  /** Forgets whom an ID means. @param counts what else of the person was erased; with them there is always a row */
  erase(now: number, person: AuditPerson, actor: string, counts?: ErasedCounts): boolean {
    const { tenant, channel, sender } = person;
    const erased = this.statements.deleteSubject.get(tenant, channel, sender);
    if (erased) this.prepareOnce(FORGET_DECIDER).run(erased.subject);
    if (erased || counts) this.add(now, noteOfErasure(person, erased?.subject ?? '', actor, counts));
    return erased !== undefined;
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
      this.statements.deleteUpTo.run(last.sequence);
      swept = last;
      return old.length;
    });
    if (swept) this.add(now, noteOfRetention(swept));
    return !isDone;
  }

  /** Returns the oldest rows, for one step, as far as all are from before a time. */
  private listExpired(before: number): (AuditHead & { readonly at: number })[] {
    const oldest = this.statements.selectExpired.all(this.readHead().sequence, MAX_STEP_ROWS);
    const kept = oldest.findIndex(({ at }) => at >= before);
    return kept === -1 ? oldest : oldest.slice(0, kept);
  }

  readHead(): AuditHead {
    return required(this.statements.selectHead.get());
  }

  list({ order, after, limit, ...query }: AuditQuery): AuditRow[] {
    const filters = FILTERS.filter((name) => query[name] !== undefined);
    const [step, direction] = order === 'newest' ? ['<', 'DESC'] : ['>', 'ASC'];
    const conditions = [
      ...filters.map((name) => CONDITIONS[name]),
      ...(after === undefined ? [] : [`sequence ${step} :after`]),
    ];
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const select = this.prepareOnce(
      `SELECT ${COLUMNS} FROM audit ${where} ORDER BY sequence ${direction} LIMIT :limit`,
    );
    const values = Object.fromEntries(filters.map((name) => [name, query[name] ?? null]));
    const rows = select.all({ ...values, ...(after !== undefined && { after }), limit });
    return (rows as unknown as ChainedRow[]).map((row) => this.toRow(row));
  }

  /** One statement for each combination of filters: a condition that may be absent would keep SQLite from an index. */
  private prepareOnce(sql: string): StatementSync {
    const statement = this.prepared.get(sql) ?? this.database.prepare(sql);
    this.prepared.set(sql, statement);
    return statement;
  }

  private toRow(row: ChainedRow): AuditRow {
    const entry = readAuditBody(row.body);
    const person = entry.subject === undefined ? undefined : this.statements.findPerson.get(entry.subject);
    return { ...row, ...entry, ...(person && { person: { ...person } }) };
  }

  readChain(after: number, limit: number): ChainedRow[] {
    return this.statements.selectChain.all(after, limit);
  }
}

function prepareRows(database: DatabaseSync) {
  return {
    selectHead: prepare<AuditHead>(database, 'SELECT audit_sequence AS sequence, audit_hash AS hash FROM gateway'),
    setHead: prepare(database, 'UPDATE gateway SET audit_sequence = ?, audit_hash = ?'),
    insert: prepare(database, 'INSERT INTO audit (sequence, body, previous_hash, hash) VALUES (?, ?, ?, ?)'),
    // Not the newest row: the head names it.
    selectExpired: prepare<AuditHead & { at: number }>(
      database,
      'SELECT sequence, hash, at FROM audit WHERE sequence < ? ORDER BY sequence LIMIT ?',
    ),
    deleteUpTo: prepare(database, 'DELETE FROM audit WHERE sequence <= ?'),
    selectChain: prepare<ChainedRow>(
      database,
      `SELECT ${COLUMNS} FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?`,
    ),
  };
}

function prepareSubjects(database: DatabaseSync) {
  const isPerson = 'tenant = ? AND channel = ? AND sender = ?';
  return {
    findSubject: prepare<{ subject: string }>(database, `SELECT subject FROM audit_subjects WHERE ${isPerson}`),
    addSubject: prepare(database, 'INSERT INTO audit_subjects (subject, tenant, channel, sender) VALUES (?, ?, ?, ?)'),
    findPerson: prepare<AuditPerson>(database, 'SELECT tenant, channel, sender FROM audit_subjects WHERE subject = ?'),
    deleteSubject: prepare<{ subject: string }>(
      database,
      `DELETE FROM audit_subjects WHERE ${isPerson} RETURNING subject`,
    ),
  };
}
