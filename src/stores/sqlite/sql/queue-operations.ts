import {
  endOf,
  type AcceptOutcome,
  type CancelOutcome,
  type CancelSelector,
  type ClaimRequest,
  type DurableFrame,
  type Lease,
  type MessageSelector,
  type QueueCounts,
  type QueueLimits,
} from '../../../core/store/index.js';
import type { MessageInPayload } from '../../../protocol/index.js';
import type { SessionEntry } from '../state/directory.js';
import { isRepeat, type Earlier, type MessageTable } from './message-table.js';
import { ownerOf, tenantOf, type OpenMessage } from '../state/open-messages.js';
import type { AcceptedRow, AcceptRow, NewMessageRow } from '../thread/accept-packing.js';
import type { ClaimRow, LeaseKey, MessageRow } from '../thread/packing.js';
import { required } from './statement.js';
import type { RulingOperations } from './ruling-operations.js';
import { SentSessions } from '../state/sent-sessions.js';
import type { SessionOperations } from './session-operations.js';
import type { TableState } from '../state/table-state.js';

/**
 * Length of the payloads in one claim after which it takes no more, in UTF-16 units. Each thread has a copy of them, and
 * thousands of small fields take four times their text.
 */
export const MAX_CLAIMED_LENGTH = 1_048_576;

/** A message that another one may supersede. */
interface Supersedable {
  readonly ord: number;
  readonly stored: MessageRow;
  readonly waiting: OpenMessage | undefined;
}

/** The operations of `QueueStore`: accept, claim, release, cancel. */
export class QueueOperations {
  private readonly sent = new SentSessions();

  constructor(
    private readonly tables: TableState,
    private readonly messages: MessageTable,
    private readonly sessions: SessionOperations,
    private readonly rulings: RulingOperations,
  ) {}

  accept(now: number, message: NewMessageRow): AcceptRow {
    if (message.supersedes !== undefined) return this.acceptInstead(message, message.supersedes);
    const { directory } = this.tables;
    const known = directory.findClient(message.client);
    const entry = directory.findSession(message.session.id, known, message.sender);
    const owner = isToQueue(message, entry) ? ownerOf(message.client) : undefined;
    const limit = owner === undefined ? undefined : this.exceeded(message, owner, entry?.session);
    // Looks for a duplicate first if the message could be refused or its session created; else the insert finds it.
    const earlier =
      known !== undefined && (limit || !entry) ? this.messages.findByKey(known, message.messageId) : undefined;
    if (earlier) return this.repeatOutcome(earlier, message);
    if (limit) return { kind: 'full', limit };

    const client = known ?? directory.addClient(message.client);
    const into = entry ?? directory.addSession(message.session, now);
    const ord = this.tables.nextOrd();
    if (!this.messages.insert(ord, client, into.session, message)) {
      return this.repeatOutcome(required(this.messages.findByKey(client, message.messageId)), message);
    }
    const accepted = this.place(ord, client, into, message, owner);
    return message.ruling ? { ...accepted, ...this.rulings.apply(now, ord, into, message, message.ruling) } : accepted;
  }

  /** Gives a stored message its place: in the queue of `owner`, or only in the history if that is undefined. */
  private place(
    ord: number,
    client: number,
    entry: SessionEntry,
    message: NewMessageRow,
    owner: string | undefined,
  ): AcceptedRow {
    const { directory, log, open, refs, activity } = this.tables;
    const { session, mode, agent } = entry;
    const { priority, payload, receivedAt } = message;
    const sessionId = message.session.id;
    const messageRef = refs.format(ord);
    const headSeq = log.head(session);
    directory.noteMessage(session, receivedAt);
    directory.addParticipant(client, entry, message.sender, headSeq);
    activity.touch(session, receivedAt);
    const running = open.lanes.runningIn(session);
    let position = 0;
    let slot: number | undefined;
    if (owner !== undefined) {
      const counts = { epoch: 0, cancelRequested: false, attempt: 0, interruptions: 0 };
      const waiting: OpenMessage = { ord, session, client, owner, priority, ...counts };
      this.tables.queue.add(waiting);
      position = open.add(waiting);
      open.keep(waiting, payload.length);
      slot = waiting.slot;
    }
    return {
      kind: 'accepted',
      messageRef,
      sessionId,
      mode,
      agent,
      status: owner === undefined ? 'observed' : 'queued',
      priority,
      position,
      headSeq,
      ...(slot !== undefined && { slot }),
      ...(running && { runningRef: refs.format(running.ord) }),
    };
  }

  /** Stores a message that supersedes another one, and cancels that one if it waits. */
  private acceptInstead(message: NewMessageRow, supersedes: string): AcceptOutcome {
    const { directory } = this.tables;
    const known = directory.findClient(message.client);
    const repeated = known !== undefined && this.messages.findByKey(known, message.messageId);
    if (repeated) return this.repeatOutcome(repeated, message);
    const entry = directory.findSession(message.session.id);
    const earlier = entry && this.findSupersedable(supersedes, entry, message.sender);
    if (!entry || !earlier) return { kind: 'nothing_to_supersede' };
    const { stored, waiting } = earlier;
    const owner = isToQueue(message, entry) ? ownerOf(message.client) : undefined;
    // It takes the place of a waiting one, so the queue does not grow.
    const limit = owner === undefined || waiting ? undefined : this.exceeded(message, owner, entry.session);
    if (limit) return { kind: 'full', limit };

    const client = known ?? directory.addClient(message.client);
    const ord = this.tables.nextOrd();
    this.messages.insert(ord, client, entry.session, message);
    this.messages.supersede(entry.session, earlier.ord, entry.mode === 'main' ? ord - 1 : earlier.ord, ord);
    const ended = waiting && this.endUnrun(waiting, stored, message.receivedAt);
    return { ...this.place(ord, client, entry, message, owner), ...(ended && { ended }) };
  }

  /** Returns a message of the sender in the session that has ended, or that waits and has never run. */
  private findSupersedable(ref: string, { session }: SessionEntry, sender: string): Supersedable | undefined {
    const ord = this.tables.refs.parse(ref);
    const stored = ord === undefined ? undefined : this.messages.find(ord);
    if (ord === undefined || !stored || this.tables.directory.findSession(stored.sessionId)?.session !== session) {
      return undefined;
    }
    if ((JSON.parse(stored.payload) as MessageInPayload).sender !== sender) return undefined;
    const waiting = this.findWaiting(ref, session);
    return waiting || this.messages.hasEnded(ord) ? { ord, stored, waiting } : undefined;
  }

  private exceeded(
    { limits }: NewMessageRow,
    owner: string,
    session: number | undefined,
  ): keyof QueueLimits | undefined {
    const { open } = this.tables;
    const { lanes } = open;
    if ((session === undefined ? 0 : lanes.countIn(session)) >= limits.perSession) return 'perSession';
    if (open.countOfOwner(owner) >= limits.perClient) return 'perClient';
    if (limits.perTenant !== undefined && open.countOfTenant(tenantOf(owner)) >= limits.perTenant) return 'perTenant';
    return lanes.size >= limits.total ? 'total' : undefined;
  }

  private repeatOutcome(earlier: Earlier, message: NewMessageRow): AcceptOutcome {
    if (!isRepeat(earlier, message)) return { kind: 'conflict' };
    const { log, open, refs } = this.tables;
    const { ord, session, sessionId, mode, agent, priority } = earlier;
    return {
      kind: 'duplicate',
      messageRef: refs.format(ord),
      sessionId,
      mode,
      agent,
      status: this.messages.status(ord),
      priority,
      position: open.lanes.position(ord),
      headSeq: log.head(session),
    };
  }

  /** Returns the claims, and the time of the next claim that may find something. */
  claim(now: number, request: ClaimRequest): [claims: ClaimRow[], nextDueAt: number | undefined] {
    const { lanes } = this.tables.open;
    const claims: ClaimRow[] = [];
    const rooms = request.rooms && new Map(request.rooms);
    lanes.unpark(rooms);
    let length = 0;
    while (claims.length < request.limit) {
      if (length >= MAX_CLAIMED_LENGTH) return [claims, now];
      const message = this.takeNext(request, this.tables.toElapsed(now), rooms);
      if (!message) break;
      const claim = this.start(message);
      claims.push(claim);
      if (typeof claim.message !== 'number') length += claim.message.payload.length;
    }
    const { nextDueAt } = lanes;
    return [claims, nextDueAt === undefined ? undefined : this.tables.toUnix(nextDueAt)];
  }

  private takeNext(
    { sessionId }: ClaimRequest,
    now: number,
    rooms: Map<string, number> | undefined,
  ): OpenMessage | undefined {
    const { directory, open } = this.tables;
    if (sessionId === undefined) return open.lanes.take(now, rooms);
    const entry = directory.findSession(sessionId);
    return entry && open.lanes.takeIn(entry.session, now);
  }

  private start(open: OpenMessage): ClaimRow {
    open.epoch = this.tables.nextEpoch();
    open.attempt++;
    const { epoch, attempt, interruptions, cancelRequested } = open;
    const headSeq = this.tables.log.head(open.session);
    this.tables.queue.markRunning(open, headSeq);
    const message = this.tables.open.takeSlot(open) ?? this.messages.get(open.ord);
    const claimed = this.sessions.getClaimed(open.session);
    const session = this.sent.pack(claimed);
    const { lastActive } = claimed;
    return { message, session, lastActive, headSeq, epoch, attempt, interruptions, cancelRequested };
  }

  renew(leases: readonly Lease[]): { lost: Lease[]; cancelRequested: Lease[] } {
    return {
      lost: leases.filter((lease) => !this.findRunning(lease)),
      cancelRequested: leases.filter((lease) => this.findRunning(lease)?.cancelRequested),
    };
  }

  release(lease: LeaseKey, notBefore = 0): void {
    const message = this.findRunning(lease);
    if (!message) return;
    // A cancelled message need not wait for its retry.
    const earliest = message.cancelRequested ? 0 : notBefore;
    this.tables.queue.markRetry(message, earliest);
    message.epoch = 0;
    this.tables.open.lanes.release(message.ord, this.tables.toElapsed(earliest));
  }

  /** Returns the message that runs under exactly this lease. */
  findRunning({ messageRef, epoch }: LeaseKey): OpenMessage | undefined {
    const ord = this.tables.refs.parse(messageRef);
    const message = ord === undefined ? undefined : this.tables.open.lanes.find(ord);
    return message?.epoch === epoch ? message : undefined;
  }

  /** Returns a message of the session that waits and has never run. */
  findWaiting(messageRef: string, session: number): OpenMessage | undefined {
    const ord = this.tables.refs.parse(messageRef);
    const message = ord === undefined ? undefined : this.tables.open.lanes.find(ord);
    return message?.session === session && !this.mayHaveBlocks(message) ? message : undefined;
  }

  listWaiting(sessionId: string): MessageRow[] {
    const { directory, open } = this.tables;
    const entry = directory.findSession(sessionId);
    if (!entry) return [];
    const waiting = open.lanes.messagesIn(entry.session).filter((message) => !this.mayHaveBlocks(message));
    return waiting.map((message) => this.messages.get(message.ord));
  }

  /** Removes a message from the queue; the same transaction must write its end. */
  end(message: OpenMessage): void {
    this.tables.queue.delete(message);
    this.tables.open.end(message);
  }

  cancel(selector: CancelSelector, timestamp: number): CancelOutcome | undefined {
    const targets = this.select(selector);
    if (!targets) return undefined;
    const ended: DurableFrame[] = [];
    const running: CancelOutcome['running'][number][] = [];
    for (const message of targets) {
      const stored = this.messages.get(message.ord);
      if (this.mayHaveBlocks(message)) {
        const { sessionId, messageRef } = stored;
        this.tables.queue.markCancelled(message);
        message.cancelRequested = true;
        this.tables.open.lanes.hurry(message.ord);
        running.push({ sessionId, messageRef });
      } else {
        ended.push(this.endUnrun(message, stored, timestamp));
      }
    }
    return { ended, running };
  }

  /** Returns the selected unfinished messages; undefined if no such message or session exists. */
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

  /**
   * Returns whether a run has to end the message, because it runs or has frames of an earlier run: only a run knows which of
   * its blocks stand.
   */
  private mayHaveBlocks(message: OpenMessage): boolean {
    if (message.epoch !== 0) return true;
    const head = required(this.tables.queue.headBefore(message.ord));
    return head !== null && this.tables.log.hasFrames(message.session, message.ord, head);
  }

  private endUnrun(message: OpenMessage, stored: MessageRow, timestamp: number): DurableFrame {
    const { messageRef, messageId, sessionId } = stored;
    const { frame, reply } = endOf({ messageRef, messageId }, { reason: 'cancelled' }, timestamp);
    const seq = this.tables.log.append(message.session, [frame]);
    this.messages.insertEnd(message.ord, { status: 'cancelled', reply });
    this.end(message);
    return { ...frame, sessionId, seq };
  }

  findMessage(selector: MessageSelector): MessageRow | undefined {
    const ord = this.findOrd(selector);
    return ord === undefined ? undefined : this.messages.find(ord);
  }

  private findOrd(selector: MessageSelector): number | undefined {
    if (selector.by === 'id') {
      const client = this.tables.directory.findClient(selector.client);
      return client === undefined ? undefined : this.messages.findByKey(client, selector.messageId)?.ord;
    }
    const ord = this.tables.refs.parse(selector.messageRef);
    return ord !== undefined && this.messages.find(ord)?.client.tenant === selector.tenant ? ord : undefined;
  }

  count(now: number, activeSince: number): QueueCounts {
    const { lanes } = this.tables.open;
    const oldest = lanes.oldestWaiting;
    return {
      queued: lanes.size - lanes.running,
      running: lanes.running,
      ...(oldest && { oldestAt: this.messages.get(oldest.ord).receivedAt }),
      activeSessions: this.tables.activity.count(now, activeSince),
    };
  }
}

/** Returns whether a message waits to be answered, in the session as it is now. */
function isToQueue({ isAddressed, observes, ruling }: NewMessageRow, session: SessionEntry | undefined): boolean {
  return !ruling && (isAddressed || (session?.explicitActivation === true && !observes));
}
