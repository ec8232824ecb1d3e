import type {
  AcceptedMessage,
  AcceptOutcome,
  CancelOutcome,
  CancelSelector,
  ClaimRequest,
  DurableFrame,
  Lease,
  NewFrame,
  QueueCounts,
  QueueLimits,
  Reply,
} from '../../core/store/index.js';
import type { StreamEndPayload } from '../../protocol/index.js';
import type { Earlier, MessageTable } from './message-table.js';
import type { OperationAnswer, PackedClaim, PackedNewMessage, PackedStoredMessage } from './operations.js';
import type { OpenMessage } from './open-messages.js';
import type { Workspace } from './workspace.js';

/** The queue's side of the store: accept, claim, give back, cancel. */
export class QueueOperations {
  private readonly insertOpen;
  private readonly markRunning;
  private readonly markRetry;
  private readonly markCancelled;
  private readonly selectHeadBefore;
  private readonly deleteOpen;

  constructor(
    private readonly workspace: Workspace,
    private readonly messages: MessageTable,
  ) {
    const { database } = workspace;
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

  accept(now: number, message: PackedNewMessage, limits: QueueLimits): AcceptOutcome {
    const { directory, log, open, refs, activity } = this.workspace;
    const known = directory.findClient(message.client);
    const earlier = known === undefined ? undefined : this.messages.findByKey(known, message.messageId);
    if (earlier) return this.answerRepeat(earlier, message);
    const entry = directory.findSession(message.session.id);
    const queued = message.disposition === 'queue';
    const limit = queued ? this.exceeded(limits, entry?.session, known) : undefined;
    if (limit) return { kind: 'full', limit };

    const client = known ?? directory.addClient(message.client);
    const { session, mode } = entry ?? directory.addSession(message.session, now);
    const headSeq = log.head(session);
    directory.acquaint(client, session, message.sender, headSeq);
    const ord = this.workspace.nextOrd();
    this.messages.insert(ord, client, session, message);
    activity.touch(session, message.receivedAt);
    const running = open.lanes.runningIn(session);
    let position = 0;
    if (queued) {
      this.insertOpen.run(ord, session, client, message.priority);
      position = open.add({ ord, session, client, priority: message.priority, epoch: 0, cancelRequested: false });
    }
    return {
      kind: 'accepted',
      messageRef: refs.format(ord),
      sessionId: message.session.id,
      mode,
      status: queued ? 'queued' : 'observed',
      priority: message.priority,
      position,
      headSeq,
      ...(running && { runningRef: refs.format(running.ord) }),
    };
  }

  private exceeded(limits: QueueLimits, session: number | undefined, client: number | undefined): keyof QueueLimits | undefined {
    const { open } = this.workspace;
    if ((session === undefined ? 0 : open.lanes.countIn(session)) >= limits.perSession) return 'perSession';
    if ((client === undefined ? 0 : open.countOfClient(client)) >= limits.perClient) return 'perClient';
    return open.lanes.size >= limits.total ? 'total' : undefined;
  }

  private answerRepeat(earlier: Earlier, message: PackedNewMessage): AcceptedMessage | { kind: 'conflict' } {
    if (earlier.bodyHash !== message.bodyHash) return { kind: 'conflict' };
    const { directory, log, open, refs } = this.workspace;
    return {
      kind: 'duplicate',
      messageRef: refs.format(earlier.ord),
      sessionId: earlier.sessionId,
      mode: directory.findSession(earlier.sessionId)?.mode ?? message.session.mode,
      status: this.messages.status(earlier.ord),
      priority: earlier.priority,
      position: open.lanes.position(earlier.ord),
      headSeq: log.head(earlier.session),
    };
  }

  claim(now: number, request: ClaimRequest): OperationAnswer<'claim'> {
    const { lanes } = this.workspace.open;
    const claims: PackedClaim[] = [];
    while (claims.length < request.limit) {
      const message = lanes.take(now);
      if (!message) break;
      claims.push(this.start(message, request.replicaId));
    }
    const nextDueAt = lanes.nextDueAt;
    return { claims, ...(nextDueAt !== undefined && { nextDueAt }) };
  }

  private start(message: OpenMessage, replicaId: string): PackedClaim {
    const { log } = this.workspace;
    message.epoch = this.workspace.nextEpoch();
    const row = this.markRunning.get(message.epoch, log.head(message.session), message.ord)!;
    const { session: _, ...stored } = this.messages.find(message.ord)!;
    return {
      lease: { sessionId: stored.sessionId, replicaId, epoch: message.epoch, messageRef: stored.messageRef },
      message: stored,
      attempt: row['attempt'] as number,
      interruptions: row['interruptions'] as number,
      cancelRequested: message.cancelRequested,
    };
  }

  renew(_now: number, leases: readonly Lease[]): { lost: Lease[]; cancelRequested: Lease[] } {
    return {
      lost: leases.filter((lease) => !this.findRunning(lease)),
      cancelRequested: leases.filter((lease) => this.findRunning(lease)?.cancelRequested),
    };
  }

  release(now: number, lease: Lease): void {
    this.postpone(now, lease, 0);
  }

  postpone(_now: number, lease: Lease, notBefore: number): void {
    const message = this.findRunning(lease);
    if (!message) return;
    // Somebody who wants it cancelled need not wait for the retry.
    const earliest = message.cancelRequested ? 0 : notBefore;
    this.markRetry.run(earliest, message.ord);
    message.epoch = 0;
    this.workspace.open.lanes.giveBack(message.ord, earliest);
  }

  /** The message that runs under this very lease. */
  findRunning(lease: Lease): OpenMessage | undefined {
    const ord = this.workspace.refs.parse(lease.messageRef);
    const message = ord === undefined ? undefined : this.workspace.open.lanes.find(ord);
    return message?.epoch === lease.epoch ? message : undefined;
  }

  /** Takes a message out of the queue; its end must be written in the same transaction. */
  end(message: OpenMessage): void {
    this.deleteOpen.run(message.ord);
    this.workspace.open.end(message);
  }

  cancel(now: number, selector: CancelSelector, timestamp: number): CancelOutcome | undefined {
    const targets = this.select(selector);
    if (!targets) return undefined;
    const ended: DurableFrame[] = [];
    const running: { sessionId: string; messageRef: string }[] = [];
    for (const message of targets) {
      const stored = this.messages.find(message.ord)!;
      if (this.mayHaveBlocks(message)) {
        this.markCancelled.run(message.ord);
        message.cancelRequested = true;
        this.workspace.open.lanes.hurry(message.ord);
        running.push({ sessionId: stored.sessionId, messageRef: stored.messageRef });
      } else {
        ended.push(this.endUnrun(message, stored, timestamp));
      }
    }
    return { ended, running };
  }

  /** The unfinished messages that are meant; undefined when nothing of that name exists. */
  private select(selector: CancelSelector): readonly OpenMessage[] | undefined {
    const { directory, open, refs } = this.workspace;
    if (selector.by === 'session') {
      const entry = directory.findSession(selector.sessionId);
      return entry?.tenant === selector.tenant ? open.lanes.messagesIn(entry.session) : undefined;
    }
    let ord: number | undefined;
    if (selector.by === 'ref') {
      ord = refs.parse(selector.messageRef);
      if (ord === undefined || this.messages.find(ord)?.client.tenant !== selector.tenant) return undefined;
    } else {
      const client = directory.findClient(selector.client);
      ord = client === undefined ? undefined : this.messages.findByKey(client, selector.messageId)?.ord;
      if (ord === undefined) return undefined;
    }
    const message = open.lanes.find(ord);
    return message ? [message] : [];
  }

  /**
   * Whether a run has to end the message: one that runs, or one that an earlier run has left frames of, for only a run
   * knows how many of its blocks stand.
   */
  private mayHaveBlocks(message: OpenMessage): boolean {
    if (message.epoch !== 0) return true;
    const headBefore = this.selectHeadBefore.get(message.ord)!['head_before'] as number | null;
    return headBefore !== null && this.workspace.log.hasFrames(message.session, message.ord, headBefore);
  }

  private endUnrun(message: OpenMessage, stored: PackedStoredMessage, timestamp: number): DurableFrame {
    const { messageRef, messageId, sessionId } = stored;
    const payload: StreamEndPayload = { id: messageId, message_ref: messageRef, reason: 'cancelled', blocks: 0 };
    const frame: NewFrame = { type: 'stream_end', messageRef, messageId, timestamp, payload: JSON.stringify(payload) };
    const reply: Reply = { blocks: [], reason: 'cancelled', endedAt: timestamp };
    const seq = this.workspace.log.append(message.session, [frame]);
    this.messages.insertEnd(message.ord, 'cancelled', JSON.stringify(reply));
    this.end(message);
    return { ...frame, sessionId, seq };
  }

  findMessage(_now: number, tenant: string, messageRef: string): PackedStoredMessage | undefined {
    const ord = this.workspace.refs.parse(messageRef);
    const found = ord === undefined ? undefined : this.messages.find(ord);
    if (found?.client.tenant !== tenant) return undefined;
    const { session: _, ...stored } = found;
    return stored;
  }

  count(_now: number, activeSince: number): QueueCounts {
    const { lanes } = this.workspace.open;
    return {
      queued: lanes.size - lanes.running,
      running: lanes.running,
      activeSessions: this.workspace.activity.count(activeSince, lanes.sessions()),
    };
  }
}
