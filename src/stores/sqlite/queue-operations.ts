import {
  endOf,
  type CancelOutcome,
  type CancelSelector,
  type ClaimRequest,
  type ClientKey,
  type DurableFrame,
  type Lease,
  type MessageSelector,
  type QueueCounts,
  type QueueLimits,
} from '../../core/store/index.js';
import type { Earlier, MessageTable } from './message-table.js';
import type { OperationAnswer } from './operations.js';
import type { OpenMessage } from './open-messages.js';
import {
  packFrame,
  packLease,
  type LeaseKey,
  type PackedClaim,
  type PackedMessage,
  type PackedNewMessage,
  type PackedOutcome,
} from './packing.js';
import { required } from './rows.js';
import type { SessionOperations } from './session-operations.js';
import type { TableState } from './table-state.js';

/** Where in a packed message its tenant and its session stand. */
const TENANT = 2;
const SESSION_ID = 5;

/** The queue's side of the store: accept, claim, give back, cancel. */
export class QueueOperations {
  private readonly insertOpen;
  private readonly markRunning;
  private readonly markRetry;
  private readonly markCancelled;
  private readonly selectHeadBefore;
  private readonly deleteOpen;

  constructor(
    private readonly tables: TableState,
    private readonly messages: MessageTable,
    private readonly sessions: SessionOperations,
  ) {
    const { database } = tables;
    this.insertOpen = database.prepare('INSERT INTO queue (ord, session, client, priority) VALUES (?, ?, ?, ?)');
    // A message that is claimed while it is marked as running was interrupted: its owner died with it.
    this.markRunning = database.prepare(
      `UPDATE queue SET interruptions = interruptions + (state = 'running'), state = 'running', attempt = attempt + 1,
         epoch = ?, head_before = coalesce(head_before, ?)
       WHERE ord = ? RETURNING attempt, interruptions`,
    );
    this.markRetry = database.prepare(`UPDATE queue SET state = 'retry', not_before = ? WHERE ord = ?`);
    this.markCancelled = database.prepare('UPDATE queue SET cancel_requested = 1, not_before = 0 WHERE ord = ?');
    this.selectHeadBefore = database.prepare('SELECT head_before FROM queue WHERE ord = ?');
    this.deleteOpen = database.prepare('DELETE FROM queue WHERE ord = ?');
  }

  accept(now: number, message: PackedNewMessage): PackedOutcome {
    const [tenant, principal, clientId, messageId, bodyHash, sessionId, , , , , sender] = message;
    const [, , , , , , , , , , , , queued, priority, receivedAt, perSession, perClient, total] = message;
    const { directory, log, open, refs, activity } = this.tables;
    const known = directory.findClient(tenant, principal, clientId);
    const entry = directory.findSession(sessionId);
    const limit = queued ? this.exceeded({ perSession, perClient, total }, entry?.session, known) : undefined;
    // Where something would be refused or made first, a repeat must be known before; else the insert itself finds it.
    const earlier = known !== undefined && (limit || !entry) ? this.messages.findByKey(known, messageId) : undefined;
    if (earlier) return this.answerRepeat(earlier, bodyHash);
    if (limit) return { kind: 'full', limit };

    const client = known ?? directory.addClient(tenant, principal, clientId);
    const { session, mode } = entry ?? directory.addSession(message, now);
    const ord = this.tables.nextOrd();
    if (!this.messages.insert(ord, client, session, message)) {
      return this.answerRepeat(required(this.messages.findByKey(client, messageId)), bodyHash);
    }
    const headSeq = log.head(session);
    directory.acquaint(client, session, sender, headSeq);
    activity.touch(session, receivedAt);
    const running = open.lanes.runningIn(session);
    let position = 0;
    if (queued) {
      this.insertOpen.run(ord, session, client, priority);
      position = open.add({ ord, session, client, priority, epoch: 0, cancelRequested: false });
    }
    const status = queued ? 'queued' : 'observed';
    const runningRef = running && refs.format(running.ord);
    return ['accepted', refs.format(ord), sessionId, mode, status, priority, position, headSeq, runningRef];
  }

  private exceeded(
    limits: QueueLimits,
    session: number | undefined,
    client: number | undefined,
  ): keyof QueueLimits | undefined {
    const { lanes } = this.tables.open;
    if ((session === undefined ? 0 : lanes.countIn(session)) >= limits.perSession) return 'perSession';
    if ((client === undefined ? 0 : this.tables.open.countOfClient(client)) >= limits.perClient) return 'perClient';
    return lanes.size >= limits.total ? 'total' : undefined;
  }

  private answerRepeat(earlier: Earlier, bodyHash: string): PackedOutcome {
    if (earlier.bodyHash !== bodyHash) return { kind: 'conflict' };
    const { log, open, refs } = this.tables;
    const { ord, session, sessionId, mode, priority } = earlier;
    const position = open.lanes.position(ord);
    const status = this.messages.status(ord);
    return ['duplicate', refs.format(ord), sessionId, mode, status, priority, position, log.head(session), undefined];
  }

  claim(now: number, request: ClaimRequest): OperationAnswer<'claim'> {
    const { lanes } = this.tables.open;
    const claims: PackedClaim[] = [];
    while (claims.length < request.limit) {
      const message = lanes.take(now);
      if (!message) break;
      claims.push(this.start(message));
    }
    const nextDueAt = lanes.nextDueAt;
    return { claims, ...(nextDueAt !== undefined && { nextDueAt }) };
  }

  private start(message: OpenMessage): PackedClaim {
    message.epoch = this.tables.nextEpoch();
    const head = this.tables.log.head(message.session);
    const row = required(this.markRunning.get(message.epoch, head, message.ord));
    const stored = this.messages.get(message.ord);
    return [
      stored,
      message.epoch,
      row['attempt'] as number,
      row['interruptions'] as number,
      message.cancelRequested,
      this.sessions.get(stored[SESSION_ID]),
    ];
  }

  renew(_now: number, leases: readonly Lease[]): { lost: Lease[]; cancelRequested: Lease[] } {
    return {
      lost: leases.filter((lease) => !this.findRunning(packLease(lease))),
      cancelRequested: leases.filter((lease) => this.findRunning(packLease(lease))?.cancelRequested),
    };
  }

  postpone(_now: number, lease: LeaseKey, notBefore: number): void {
    const message = this.findRunning(lease);
    if (!message) return;
    // Somebody who wants it cancelled need not wait for the retry.
    const earliest = message.cancelRequested ? 0 : notBefore;
    this.markRetry.run(earliest, message.ord);
    message.epoch = 0;
    this.tables.open.lanes.giveBack(message.ord, earliest);
  }

  /** The message that runs under this very lease. */
  findRunning([messageRef, epoch]: LeaseKey): OpenMessage | undefined {
    const ord = this.tables.refs.parse(messageRef);
    const message = ord === undefined ? undefined : this.tables.open.lanes.find(ord);
    return message?.epoch === epoch ? message : undefined;
  }

  /** A message of the session that waits and has never run. */
  findWaiting(messageRef: string, session: number): OpenMessage | undefined {
    const ord = this.tables.refs.parse(messageRef);
    const message = ord === undefined ? undefined : this.tables.open.lanes.find(ord);
    return message?.session === session && !this.mayHaveBlocks(message) ? message : undefined;
  }

  listWaiting(_now: number, sessionId: string): PackedMessage[] {
    const { directory, open } = this.tables;
    const entry = directory.findSession(sessionId);
    if (!entry) return [];
    const waiting = open.lanes.messagesIn(entry.session).filter((message) => !this.mayHaveBlocks(message));
    return waiting.map((message) => this.messages.get(message.ord));
  }

  /** Takes a message out of the queue; its end must be written in the same transaction. */
  end(message: OpenMessage): void {
    this.deleteOpen.run(message.ord);
    this.tables.open.end(message);
  }

  cancel(_now: number, selector: CancelSelector, timestamp: number): CancelOutcome | undefined {
    const targets = this.select(selector);
    if (!targets) return undefined;
    const ended: DurableFrame[] = [];
    const running: CancelOutcome['running'][number][] = [];
    for (const message of targets) {
      const stored = this.messages.get(message.ord);
      if (this.mayHaveBlocks(message)) {
        const [messageRef, , , , , sessionId] = stored;
        this.markCancelled.run(message.ord);
        message.cancelRequested = true;
        this.tables.open.lanes.hurry(message.ord);
        running.push({ sessionId, messageRef });
      } else {
        ended.push(this.endUnrun(message, stored, timestamp));
      }
    }
    return { ended, running };
  }

  /** The unfinished messages that are meant; undefined when nothing of that name exists. */
  private select(selector: CancelSelector): readonly OpenMessage[] | undefined {
    const { directory, open } = this.tables;
    if (selector.by === 'session') {
      const entry = directory.findSession(selector.sessionId);
      return entry?.tenant === selector.tenant ? open.lanes.messagesIn(entry.session) : undefined;
    }
    const ord = this.findOrd(selector);
    if (ord === undefined) return undefined;
    const message = open.lanes.find(ord);
    return message ? [message] : [];
  }

  private ordById({ tenant, principal, clientId }: ClientKey, messageId: string): number | undefined {
    const client = this.tables.directory.findClient(tenant, principal, clientId);
    return client === undefined ? undefined : this.messages.findByKey(client, messageId)?.ord;
  }

  /**
   * Whether a run has to end the message: one that runs, or one that an earlier run has left frames of, for only a run
   * knows how many of its blocks stand.
   */
  private mayHaveBlocks(message: OpenMessage): boolean {
    if (message.epoch !== 0) return true;
    const headBefore = required(this.selectHeadBefore.get(message.ord))['head_before'] as number | null;
    return headBefore !== null && this.tables.log.hasFrames(message.session, message.ord, headBefore);
  }

  private endUnrun(message: OpenMessage, stored: PackedMessage, timestamp: number): DurableFrame {
    const [messageRef, messageId, , , , sessionId] = stored;
    const { frame, reply } = endOf({ messageRef, messageId }, { reason: 'cancelled' }, [], timestamp);
    const seq = this.tables.log.append(message.session, [packFrame(frame)]);
    this.messages.insertEnd(message.ord, ['cancelled', JSON.stringify(reply)]);
    this.end(message);
    return { ...frame, sessionId, seq };
  }

  findMessage(_now: number, selector: MessageSelector): PackedMessage | undefined {
    const ord = this.findOrd(selector);
    return ord === undefined ? undefined : this.messages.find(ord);
  }

  private findOrd(selector: MessageSelector): number | undefined {
    if (selector.by === 'id') return this.ordById(selector.client, selector.messageId);
    const ord = this.tables.refs.parse(selector.messageRef);
    return ord !== undefined && this.messages.find(ord)?.[TENANT] === selector.tenant ? ord : undefined;
  }

  count(_now: number, activeSince: number): QueueCounts {
    const { lanes } = this.tables.open;
    return {
      queued: lanes.size - lanes.running,
      running: lanes.running,
      activeSessions: this.tables.activity.count(activeSince, lanes.sessions()),
    };
  }
}
