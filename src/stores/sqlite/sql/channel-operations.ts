import type { DatabaseSync } from 'node:sqlite';
import { noteOfDeadLetter, noteOfPairing, noteOfRevocation } from '../../../core/audit/audit-notes.js';
import { readRetriedRef } from '../../../core/store/retry-id.js';
import type {
  AccountLease,
  AdmittedSender,
  DeadLetter,
  DeadLetterQuery,
  HeldChat,
  InboxEntry,
  Json,
  MovedChat,
  OutboxPart,
  PairingOutcome,
  PairingRequest,
  SeenChat,
  SenderAlias,
  SweepLimits,
} from '../../../core/store/index.js';
import { DAY_MS } from '../../../core/time/clock.js';
import type { AuditTrail } from './audit-trail.js';
import { prepareInbox, type Row } from './inbox-statements.js';
import { prepareOutbox } from './outbox-statements.js';
import { prepare, required } from './statement.js';
import { MAX_STEP_ROWS, type SweepBudget } from './sweep-budget.js';

/** Time for which chats are remembered longer than redeliveries, in milliseconds: 90 days in all. */
const CHATS_LONGER_MS = 83 * DAY_MS;

/** The operations of `ChannelStore`. */
export class ChannelOperations {
  private readonly statements;

  /** Takes ownership of the database: the leases of an earlier owner have ended. */
  constructor(
    database: DatabaseSync,
    private readonly audit: AuditTrail,
  ) {
    database.exec('UPDATE accounts SET expires_at = 0');
    this.statements = prepareAll(database);
  }

  take(now: number, channel: string, owner: string, leaseMs: number): AccountLease | undefined {
    const row = this.statements.take.get(channel, owner, now + leaseMs, now);
    return row && { channel, owner, epoch: row.epoch };
  }

  release({ channel, owner, epoch }: AccountLease): void {
    this.statements.release.run(channel, owner, epoch);
  }

  addInbox(lease: AccountLease, entries: readonly InboxEntry[]): boolean {
    if (!this.holds(lease)) return false;
    for (const { messageId, chat, place, update, reading, isMessage = true, sentAt, receivedAt } of entries) {
      this.statements.addInbox.run(lease.channel, messageId, chat, place, update, reading ?? null, sentAt, receivedAt);
      if (isMessage) this.statements.noteChat.run(lease.channel, chat, messageId, place, sentAt);
    }
    return true;
  }

  listChats(channel: string, limit: number): SeenChat[] {
    return this.statements.listChats.all(channel, limit);
  }

  openGaps(lease: AccountLease): boolean {
    if (!this.holds(lease)) return false;
    this.statements.openGaps.run(lease.channel);
    return true;
  }

  closeGap(lease: AccountLease, chat: string): boolean {
    if (!this.holds(lease)) return false;
    this.statements.closeGap.run(lease.channel, chat);
    return true;
  }

  moveChat(lease: AccountLease, { from, to }: MovedChat): boolean {
    if (!this.holds(lease)) return false;
    this.statements.moveChat.run(lease.channel, from, to);
    return true;
  }

  listMovedChats(channel: string): MovedChat[] {
    return this.statements.listMovedChats.all(channel);
  }

  joinSender(lease: AccountLease, { alias, sender }: SenderAlias): boolean {
    if (!this.holds(lease)) return false;
    this.statements.joinSender.run(lease.channel, alias, sender);
    return true;
  }

  listSenderAliases(channel: string): SenderAlias[] {
    return this.statements.listSenderAliases.all(channel);
  }

  listInbox(channel: string): InboxEntry[] {
    return this.statements.listInbox.all(channel).map(withoutNulls<InboxEntry>);
  }

  listJoined(channel: string, limit: number): string[] {
    return this.statements.listJoined.all(channel, limit).map(({ messageId }) => messageId);
  }

  keepReading(lease: AccountLease, messageId: string, reading: Json): boolean {
    if (!this.holds(lease)) return false;
    this.statements.keepReading.run(reading, lease.channel, messageId);
    return true;
  }

  settleInbox(
    now: number,
    lease: AccountLease,
    messageIds: readonly string[],
    messageRef?: string,
    takesPart?: boolean,
  ): boolean {
    if (!this.holds(lease)) return false;
    const { channel } = lease;
    if (takesPart) this.statements.takePart.run(channel, messageIds[0] ?? '');
    if (messageRef !== undefined) this.statements.addPlace.run(messageRef, now, channel, messageIds[0] ?? '');
    for (const messageId of messageIds) {
      this.statements.deleteInbox.run(channel, messageId);
      if (messageIds.length > 1) this.statements.addJoined.run(channel, messageId, now);
    }
    return true;
  }

  takesPart(channel: string, chat: string, thread: string): boolean {
    return this.statements.takesPart.get(channel, chat, thread)?.takesPart === 1;
  }

  findPlace(channel: string, messageRef: string, messageId: string): Json | undefined {
    const { findPlace, findPending } = this.statements;
    const retried = readRetriedRef(messageId);
    return (
      findPlace.get(channel, messageRef) ??
      (retried === undefined ? findPending.get(channel, messageId) : findPlace.get(channel, retried))
    )?.place;
  }

  writePart(lease: AccountLease, part: OutboxPart): boolean {
    if (!this.holds(lease)) return false;
    this.statements.writePart.run(...toValues(lease, part));
    return true;
  }

  listParts(channel: string, replyTo: string): OutboxPart[] {
    return this.statements.listParts.all(channel, replyTo).map(withoutNulls<OutboxPart>);
  }

  findReplyTo(channel: string, chat: string, ref: string): string | undefined {
    return this.statements.findReplyTo.get(channel, ref, chat)?.replyTo;
  }

  failPart(lease: AccountLease, ref: string, reason: string): 'failed' | 'unknown' | 'fenced' {
    if (!this.holds(lease)) return 'fenced';
    return this.statements.failPart.run(reason, lease.channel, ref).changes > 0 ? 'failed' : 'unknown';
  }

  addNote(lease: AccountLease, note: OutboxPart): 'added' | 'known' | 'fenced' {
    if (!this.holds(lease)) return 'fenced';
    return this.statements.addNote.run(...toValues(lease, note)).changes > 0 ? 'added' : 'known';
  }

  listHeldChats(now: number, channel: string): HeldChat[] {
    return this.statements.listHeldChats.all(channel, now);
  }

  listNotes(channel: string): OutboxPart[] {
    return this.statements.listNotes.all(channel).map(withoutNulls<OutboxPart>);
  }

  askPairing(
    now: number,
    lease: AccountLease,
    { sender, code, askedAt, expiresAt }: PairingRequest,
    note: OutboxPart,
    maxWaiting: number,
  ): PairingOutcome {
    if (!this.holds(lease)) return 'fenced';
    const { channel } = lease;
    const { findPairing, deletePairings, countPairings, addPairing } = this.statements;
    deletePairings.run(channel, now);
    const known = findPairing.get(channel, sender);
    if (known) return known.approvedAt === null ? 'waiting' : 'approved';
    if (required(countPairings.get(channel)).count >= maxWaiting) return 'full';
    addPairing.run(channel, sender, code, askedAt, expiresAt);
    this.addNote(lease, note);
    return 'asked';
  }

  listAdmitted(channel: string, limit: number): AdmittedSender[] {
    return this.statements.listAdmitted.all(channel, limit);
  }

  revokePairing(now: number, channel: string, sender: string, actor: string): boolean {
    const isRevoked = Number(this.statements.deletePairing.run(channel, sender).changes) > 0;
    if (isRevoked) this.audit.add(now, noteOfRevocation(channel, sender, actor));
    return isRevoked;
  }

  listPairings(now: number, channel: string): PairingRequest[] {
    return this.statements.listPairings.all(channel, now);
  }

  approvePairing(now: number, channel: string, code: string, actor: string): PairingRequest | undefined {
    const request = this.statements.approvePairing.get(now, channel, code);
    if (request) this.audit.add(now, noteOfPairing(channel, request.sender, actor));
    return request;
  }

  listDeadLetters({ channel, before = Number.MAX_SAFE_INTEGER, limit }: DeadLetterQuery): DeadLetter[] {
    return this.statements.listDead.all(before, channel ?? null, limit).map(withoutNulls<DeadLetter>);
  }

  countDeadLetters(): Record<string, number> {
    return Object.fromEntries(this.statements.countDead.all().map(({ channel, count }) => [channel, count]));
  }

  retryDeadLetter(now: number, id: number, actor: string): DeadLetter | undefined {
    const row = this.statements.reviveDead.get(now, id);
    const letter = row && withoutNulls<DeadLetter>(row);
    if (letter) this.audit.add(now, noteOfDeadLetter(letter, 'retry', actor));
    return letter;
  }

  discardDeadLetter(now: number, id: number, actor: string): boolean {
    const row = this.statements.deleteDead.get(id);
    if (row) this.audit.add(now, noteOfDeadLetter(withoutNulls<DeadLetter>(row), 'discard', actor));
    return row !== undefined;
  }

  /**
   * Deletes, within the budget, places, chats and sent parts that no redelivery needs any more, and old dead letters. Returns
   * true if there may be more.
   */
  sweep({ dedupeBefore, approvalsBefore }: SweepLimits, budget: SweepBudget): boolean {
    const { deletePlaces, deleteJoined, deleteParts, deleteChats, deleteGaps, deleteOldDead } = this.statements;
    const chatsBefore = dedupeBefore - CHATS_LONGER_MS;
    const isSwept = (
      [
        [deletePlaces, dedupeBefore],
        [deleteJoined, dedupeBefore],
        [deleteParts, dedupeBefore],
        [deleteChats, chatsBefore],
        [deleteGaps, chatsBefore],
      ] as const
    ).every(([statement, before]) => budget.repeat(() => Number(statement.run(before, MAX_STEP_ROWS).changes)));
    if (!isSwept || approvalsBefore === undefined) return !isSwept;
    return !budget.repeat(() => Number(deleteOldDead.run(approvalsBefore, MAX_STEP_ROWS).changes));
  }

  private holds({ channel, owner, epoch }: AccountLease): boolean {
    const row = this.statements.findLease.get(channel);
    return row?.owner === owner && row.epoch === epoch;
  }
}

function withoutNulls<T>(row: Row<T>): T {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as T;
}

/** The values of a part, in the order of its columns. */
function toValues({ channel }: AccountLease, part: OutboxPart) {
  const { replyTo, number, state, place, ref = null, content = null, reason = null } = part;
  const { doubts, notBefore, deadline, createdAt } = part;
  return [
    channel,
    replyTo,
    number,
    state,
    place,
    ref,
    content,
    reason,
    doubts,
    notBefore,
    deadline,
    createdAt,
  ] as const;
}

const PAIRING = 'sender, code, asked_at AS askedAt, expires_at AS expiresAt';

function prepareAll(database: DatabaseSync) {
  return {
    take: prepare<{ epoch: number }>(
      database,
      `INSERT INTO accounts (channel, owner, epoch, expires_at) VALUES (?1, ?2, 1, ?3)
       ON CONFLICT DO UPDATE SET owner = ?2, expires_at = ?3, epoch = epoch + (owner <> ?2 OR expires_at <= ?4)
       WHERE owner = ?2 OR expires_at <= ?4 RETURNING epoch`,
    ),
    release: prepare(database, 'UPDATE accounts SET expires_at = 0 WHERE channel = ? AND owner = ? AND epoch = ?'),
    findLease: prepare<{ owner: string; epoch: number }>(
      database,
      'SELECT owner, epoch FROM accounts WHERE channel = ?',
    ),
    ...prepareInbox(database),
    ...prepareOutbox(database),
    ...preparePairings(database),
  };
}

function preparePairings(database: DatabaseSync) {
  const waits = 'approved_at IS NULL';
  return {
    findPairing: prepare<{ approvedAt: number | null }>(
      database,
      'SELECT approved_at AS approvedAt FROM pairings WHERE channel = ? AND sender = ?',
    ),
    deletePairings: prepare(database, `DELETE FROM pairings WHERE channel = ? AND ${waits} AND expires_at <= ?`),
    countPairings: prepare<{ count: number }>(
      database,
      `SELECT count(*) AS count FROM pairings WHERE channel = ? AND ${waits}`,
    ),
    addPairing: prepare(
      database,
      'INSERT INTO pairings (channel, sender, code, asked_at, expires_at) VALUES (?, ?, ?, ?, ?)',
    ),
    listAdmitted: prepare<AdmittedSender>(
      database,
      `SELECT sender, approved_at AS approvedAt FROM pairings WHERE channel = ? AND approved_at IS NOT NULL
       ORDER BY approved_at DESC, sender LIMIT ?`,
    ),
    deletePairing: prepare(database, 'DELETE FROM pairings WHERE channel = ? AND sender = ?'),
    listPairings: prepare<PairingRequest>(
      database,
      `SELECT ${PAIRING} FROM pairings WHERE channel = ? AND ${waits} AND expires_at > ? ORDER BY asked_at, sender`,
    ),
    approvePairing: prepare<PairingRequest>(
      database,
      `UPDATE pairings SET approved_at = ?1 WHERE channel = ?2 AND code = ?3 AND ${waits} AND expires_at > ?1
       RETURNING ${PAIRING}`,
    ),
  };
}
