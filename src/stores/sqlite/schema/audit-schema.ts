import type { DatabaseSync } from 'node:sqlite';
import { hash } from 'node:crypto';
import { chainAudit, EMPTY_HEAD } from '../../../core/audit/audit-chain.js';
import { noteOfPairing, noteOfRevocation, noteOfRetention } from '../../../core/audit/audit-notes.js';
import { ALL_TENANTS, type AuditHead, type AuditNote, type Json } from '../../../core/store/index.js';
import { canonicalise } from '../../../core/store/canonical-json.js';
import { AuditTrail } from '../sql/audit-trail.js';
import { prepare } from '../sql/statement.js';

/**
 * The changes of version 23: a row of the trail is one text, which is hashed as it is stored; the columns that select
 * rows are read from it. `audit_subjects` says whom an ID in a row means, until the person is erased.
 */
export const AUDIT_SCHEMA = `
  DROP INDEX audit_by_tenant;
  ALTER TABLE audit RENAME TO audit_2;
  CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    at INTEGER AS (body ->> '$.at') VIRTUAL,
    tenant TEXT AS (body ->> '$.tenant') VIRTUAL,
    actor TEXT AS (body ->> '$.actor') VIRTUAL,
    action TEXT AS (body ->> '$.action') VIRTUAL
  ) STRICT;
  CREATE INDEX audit_by_tenant ON audit (tenant, sequence);
  CREATE INDEX audit_by_actor ON audit (actor, sequence);
  CREATE INDEX audit_by_action ON audit (action, sequence);
  CREATE INDEX audit_by_at ON audit (at);
  CREATE TABLE audit_subjects (
    subject TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    channel TEXT NOT NULL,
    sender TEXT NOT NULL,
    UNIQUE (tenant, channel, sender)
  ) STRICT, WITHOUT ROWID;
`;

/** A row of the audit trail in version 1. */
interface FirstRow {
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly before: Json;
  readonly after: Json;
  /** The id of the decided approval; null for settings. */
  readonly approvalId: string | null;
  readonly tenant: string | null;
}

/** A row of the audit trail in versions 2 to 22. */
interface SecondRow extends AuditNote {
  readonly sequence: number;
  readonly at: number;
  readonly previousHash: string;
  readonly hash: string;
}

/** Gives the rows of version 1 the columns and the hashes of version 2, in order. */
export function chainFirstRows(database: DatabaseSync): void {
  const old = prepare<FirstRow>(
    database,
    `SELECT at, actor, action, before, after, after ->> '$.approval_id' AS approvalId, tenant
     FROM audit_1 LEFT JOIN approvals ON approval_id = after ->> '$.approval_id' AND action = 'approval.decide'
     ORDER BY entry`,
  );
  const insert = prepare(database, 'INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  let head = EMPTY_HEAD;
  for (const { at, actor, action, before, after, approvalId, tenant } of old.all()) {
    const target = action === 'approval.decide' && approvalId !== null ? approvalId : 'settings';
    const row = {
      sequence: head.sequence + 1,
      at,
      tenant: tenant ?? ALL_TENANTS,
      actor,
      action,
      target,
      before,
      after,
      previousHash: head.hash,
    };
    const ownHash = hashSecond(row);
    insert.run(row.sequence, at, row.tenant, actor, action, target, before, after, head.hash, ownHash);
    head = { sequence: row.sequence, hash: ownHash };
  }
  prepare(database, 'UPDATE gateway SET audit_sequence = ?, audit_hash = ?').run(head.sequence, head.hash);
}

function hashSecond(row: Omit<SecondRow, 'hash'>): string {
  return hash('sha256', canonicalise(row), 'hex');
}

/**
 * Writes the rows of versions 2 to 22 as texts, under their old numbers, and chains them again. A row at the end says what
 * the old head was, so that a head which was noted elsewhere can be compared with it, and where the old chain was broken.
 */
export function chainSecondRows(database: DatabaseSync): void {
  const rows = prepare<SecondRow>(
    database,
    `SELECT sequence, at, tenant, actor, action, target, before, after, previous_hash AS previousHash, hash
     FROM audit_2 ORDER BY sequence`,
  );
  const [first] = rows.iterate();
  const trail = new AuditTrail(database);
  const oldHead = trail.readHead();
  if (first) {
    const start: AuditHead = { sequence: first.sequence - 1, hash: first.previousHash };
    const brokenAt = findBreak(rows.iterate(), start, oldHead);
    const { sequence, hash: newHash, at } = writeAgain(database, rows.iterate(), start);
    prepare(database, 'UPDATE gateway SET audit_sequence = ?, audit_hash = ?').run(sequence, newHash);
    if (start.sequence > 0) trail.add(at, noteOfRetention(start));
    trail.add(at, noteOfRewriting(oldHead, brokenAt));
  }
  database.exec('DROP TABLE audit_2');
}

/** Returns where the chain of the old hashes is broken; undefined if it is not. */
function findBreak(rows: Iterable<SecondRow>, start: AuditHead, head: AuditHead): number | undefined {
  let last = start;
  for (const { hash: ownHash, ...row } of rows) {
    const isNext = row.sequence === last.sequence + 1 && row.previousHash === last.hash;
    if (!isNext || hashSecond(row) !== ownHash) return row.sequence;
    last = { sequence: row.sequence, hash: ownHash };
  }
  return last.hash === head.hash ? undefined : last.sequence + 1;
}

/** Writes the rows in their new form. Returns the newest of them. */
function writeAgain(
  database: DatabaseSync,
  rows: Iterable<SecondRow>,
  start: AuditHead,
): AuditHead & { readonly at: number } {
  const insert = prepare(database, 'INSERT INTO audit (sequence, body, previous_hash, hash) VALUES (?, ?, ?, ?)');
  const trail = new AuditTrail(database);
  let last = { ...start, at: 0 };
  for (const row of rows) {
    const { at } = row;
    const note = withoutSender(row);
    const subject = note.person && trail.subjectOf(note.person);
    const {
      sequence,
      body,
      previousHash,
      hash: newHash,
    } = chainAudit({ sequence: row.sequence - 1, hash: last.hash }, at, note, subject);
    insert.run(sequence, body, previousHash, newHash);
    last = { sequence, hash: newHash, at };
  }
  return last;
}

/** Names the sender in the row of a pairing as the person of the row. */
function withoutSender(row: SecondRow): AuditNote {
  const isPairing = row.action === 'channel.pair' || row.action === 'channel.unpair';
  const state = isPairing ? (JSON.parse(row.action === 'channel.pair' ? row.after : row.before) as unknown) : undefined;
  const sender = (state as { readonly sender?: string } | null | undefined)?.sender;
  if (sender === undefined) return row;
  return (row.action === 'channel.pair' ? noteOfPairing : noteOfRevocation)(row.target, sender, row.actor);
}

function noteOfRewriting({ sequence, hash: oldHash }: AuditHead, brokenAt: number | undefined): AuditNote {
  const before = JSON.stringify({ entry: sequence, hash: oldHash, broken_at: brokenAt });
  return { tenant: ALL_TENANTS, actor: 'gateway', action: 'audit.rewrite', target: 'audit', before, after: 'null' };
}
