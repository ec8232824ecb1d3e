import type { DatabaseSync } from 'node:sqlite';
import { noteOfAuthentication, noteOfSignOut } from '../../../core/audit/audit-notes.js';
import type { SignInRecord, SignInSelector } from '../../../core/store/index.js';
import type { AuditTrail } from './audit-trail.js';
import { prepare } from './statement.js';
import { MAX_STEP_ROWS, type SweepBudget } from './sweep-budget.js';

/** The table of people whom an identity provider has signed in. `record` has all of a sign-in, the other columns what is searched. */
export const SIGN_IN_SCHEMA = `
  CREATE TABLE sign_ins (
    id TEXT PRIMARY KEY,
    subject TEXT NOT NULL,
    sid TEXT,
    renew_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    leased_until INTEGER NOT NULL DEFAULT 0,
    record TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sign_ins_by_subject ON sign_ins (subject);
  CREATE INDEX sign_ins_by_sid ON sign_ins (sid) WHERE sid IS NOT NULL;
  CREATE INDEX sign_ins_by_end ON sign_ins (ends_at);
`;

interface SignInRow {
  readonly record: string;
}

/** The operations of `CredentialStore` on sign-ins. */
export class SignInOperations {
  private readonly statements;

  constructor(
    database: DatabaseSync,
    private readonly audit: AuditTrail,
  ) {
    this.statements = prepareSignIns(database);
  }

  add(now: number, signIn: SignInRecord, address: string): void {
    const { id, subject, sid, renewAt, endsAt } = signIn;
    this.statements.add.run(id, subject, sid ?? null, renewAt, endsAt, JSON.stringify(signIn));
    this.audit.add(now, noteOfAuthentication('auth.sign_in', signIn, address, 'identity provider'));
  }

  find(id: string): SignInRecord | undefined {
    const row = this.statements.find.get(id);
    return row && toSignIn(row);
  }

  lease(now: number, id: string, renewAt: number, until: number): boolean {
    return this.statements.lease.run(until, id, renewAt, now).changes > 0;
  }

  renew(signIn: SignInRecord): boolean {
    const { id, sid, renewAt } = signIn;
    return this.statements.renew.run(sid ?? null, renewAt, JSON.stringify(signIn), id).changes > 0;
  }

  remove(now: number, selector: SignInSelector, actor: string): string[] {
    const rows = 'id' in selector ? this.statements.remove.all(selector.id) : this.removeOf(selector);
    const signIns = rows.map(toSignIn);
    for (const signIn of signIns) this.audit.add(now, noteOfSignOut(signIn, actor));
    return signIns.map(({ id }) => id);
  }

  /** Deletes sign-ins that have ended, within the budget. Returns true if there may be more. */
  sweep(now: number, budget: SweepBudget): boolean {
    return !budget.repeat(() => Number(this.statements.sweep.run(now, MAX_STEP_ROWS).changes));
  }

  private removeOf({ sid, subject }: Exclude<SignInSelector, { readonly id: string }>): SignInRow[] {
    if (sid !== undefined) return this.statements.removeSession.all(sid);
    return subject === undefined ? [] : this.statements.removePerson.all(subject);
  }
}

function toSignIn({ record }: SignInRow): SignInRecord {
  return JSON.parse(record) as SignInRecord;
}

function prepareSignIns(database: DatabaseSync) {
  return {
    add: prepare(
      database,
      'INSERT INTO sign_ins (id, subject, sid, renew_at, ends_at, record) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    find: prepare<SignInRow>(database, 'SELECT record FROM sign_ins WHERE id = ?'),
    lease: prepare(
      database,
      'UPDATE sign_ins SET leased_until = ? WHERE id = ? AND renew_at = ? AND leased_until <= ?',
    ),
    renew: prepare(database, 'UPDATE sign_ins SET sid = ?, renew_at = ?, record = ?, leased_until = 0 WHERE id = ?'),
    remove: prepare<SignInRow>(database, 'DELETE FROM sign_ins WHERE id = ? RETURNING record'),
    removeSession: prepare<SignInRow>(database, 'DELETE FROM sign_ins WHERE sid = ? RETURNING record'),
    removePerson: prepare<SignInRow>(database, 'DELETE FROM sign_ins WHERE subject = ? RETURNING record'),
    sweep: prepare(database, 'DELETE FROM sign_ins WHERE id IN (SELECT id FROM sign_ins WHERE ends_at <= ? LIMIT ?)'),
  };
}
