import { BoundedMap } from '../../cache/bounded-map.js';
import type { DeltaEvent } from '../../delivery/frame-reader.js';
import type { DurableFrame, OutboxPart } from '../../store/index.js';
import { Backoff } from '../kit/backoff.js';
import type { KnownMessages } from '../channel-gateway.js';
import { ChatLane } from './chat-lane.js';
import { DeliveryError, DriverError, type PartText, type Place, type Target } from '../driver.js';
import { callExtension } from '../../lifecycle/extension-guard.js';
import { PartSender } from './part-sender.js';
import { LostLeaseError } from '../persistence.js';
import { ReplyDelivery } from './reply-delivery.js';
import { ReplyProgress } from './reply-progress.js';
import type { RunContext } from '../run-context.js';
import { Typing } from './typing.js';

/** The run of an account that an outbox belongs to. */
export interface OutboxOwner extends RunContext {
  /** Confirms the frames of a session up to `seq`: they are delivered. */
  confirm(sessionId: string, seq: number): void;
  /** Reads the frames of a session after `seq` again, then live ones. */
  resume(sessionId: string, seq: number): void;
  /** Notes that a reply does not reach the platform, because it refuses the place. */
  noteLost(reason: string): void;
  /** Returns whom the replies of a session are for, or what is known of it. */
  findTarget(sessionId: string): Promise<Target | KnownMessages | undefined>;
}

/** The replies of a session that are not delivered, oldest first. */
interface SessionReplies {
  readonly sessionId: string;
  readonly replies: Map<string, ReplyProgress>;
  /** Deliveries of replies that have not waited for those before them. */
  readonly early: Map<ReplyProgress, Promise<void>>;
  newestSeq: number;
  /**
   * The first frame that was left out because too many replies wait. All newer replies are left out too, and are read from the
   * log again when none waits.
   */
  leftOutFrom: number | undefined;
  /** True until the log is read again: what comes meanwhile comes again then. */
  isRereading: boolean;
  /** The refs of replies that have taken frames after one that was left out. */
  readonly ahead: Set<string>;
  isBusy: boolean;
}

/** Maximum number of replies of a session that wait in memory. The log has the others. */
const MAX_WAITING_REPLIES = 16;

/** Number of chats, and of places of messages, that are kept in memory: those used last. */
const MAX_KEPT = 10_000;

/**
 * Brings replies to the platform: in order within a session, the calls of a chat one after the other, chats in parallel.
 * The cursor of a session moves when the platform has confirmed all of a reply, so a new run reads each unfinished reply
 * from its beginning.
 */
export class Outbox {
  private readonly sessions = new Map<string, SessionReplies>();
  private readonly lanes = new BoundedMap<string, ChatLane>(MAX_KEPT);
  /** The places of messages that were accepted in this run, by `message_ref`: they have no parts yet. */
  private readonly places = new BoundedMap<string, Place>(MAX_KEPT);
  /** The refs of messages that wait for their turn, by the ID that edits of them name. */
  private readonly waiting = new BoundedMap<string, string>(MAX_KEPT);
  /** The refs of messages whose turns have begun. */
  private readonly begun = new BoundedMap<string, true>(MAX_KEPT);
  /** The notes under way, by their IDs. */
  private readonly notes = new Set<string>();
  private readonly waitingForIdle: (() => void)[] = [];
  private readonly started = Promise.withResolvers<void>();

  private readonly typing: Typing;

  constructor(private readonly run: OutboxOwner) {
    this.typing = new Typing(run);
    run.signal.addEventListener('abort', () => this.wakeAll(), { once: true });
  }

  /**
   * Notes where the reply to a message goes. Called before its frames arrive.
   * @param place undefined for a message that was accepted before: an earlier run may have sent parts of the reply
   * @param waitsAs its ID in edits, if it waits for its turn
   */
  notePlace(messageRef: string, place: Place | undefined, waitsAs?: string): void {
    if (place) this.places.set(messageRef, place);
    if (waitsAs !== undefined) this.waiting.set(waitsAs, messageRef);
  }

  /** Returns the ref of a message without events since this run submitted it, by its ID in edits. */
  findWaiting(messageId: string): string | undefined {
    const messageRef = this.waiting.get(messageId);
    return messageRef !== undefined && !this.begun.get(messageRef) ? messageRef : undefined;
  }

  /** Loads what an earlier run has left, before anything in this run can add to it: the chats that wait, and notes. */
  async load(): Promise<void> {
    const { store, channel, clock } = this.run;
    for (const { place, until } of await store.listHeldChats(channel))
      this.laneOf(JSON.parse(place) as Place).holdBack(until - clock.now());
    for (const note of await store.listNotes(channel)) this.sendNote(note);
  }

  /** Starts to send. Until then replies and notes wait. */
  start(): void {
    this.started.resolve();
  }

  /** Stores a note and sends it, unless one with its ID is known. @throws LostLeaseError, the abort's reason */
  async addNote(note: OutboxPart): Promise<void> {
    const { persistence, store, lease } = this.run;
    const outcome = await persistence.read(() => store.addNote(lease, note));
    if (outcome === 'fenced') throw new LostLeaseError('another replica runs this account');
    if (outcome === 'added') this.sendNote(note);
  }

  /** Sends a note that is stored. */
  sendNote(note: OutboxPart): void {
    if (this.notes.has(idOf(note))) return;
    this.notes.add(idOf(note));
    const sender = new PartSender(this.run, this.laneOf(JSON.parse(note.place) as Place));
    const texts = JSON.parse(note.content ?? '[]') as readonly PartText[];
    void this.started.promise
      .then(() => sender.send(note, texts, note.createdAt))
      .catch((error: unknown) => this.run.fail(error))
      .finally(() => this.notes.delete(idOf(note)));
  }

  /** Takes frames of one session, in their order. */
  take(frames: readonly DurableFrame[]): void {
    for (const frame of frames) {
      const session = this.sessionOf(frame.sessionId);
      if (frame.seq <= session.newestSeq || session.isRereading) continue;
      session.newestSeq = frame.seq;
      const reply = this.replyOf(session, frame);
      if (reply) {
        if (session.leftOutFrom !== undefined) session.ahead.add(frame.messageRef);
        reply.take(frame);
        this.hurry(session, reply);
      } else if (!session.ahead.has(frame.messageRef)) session.leftOutFrom ??= frame.seq;
      if (!session.isBusy) void this.work(session);
    }
  }

  /** Notes that a session is read from its log again; its frames follow. */
  takeResumed(sessionId: string): void {
    const session = this.sessions.get(sessionId);
    if (!session?.isRereading || session.leftOutFrom === undefined) return;
    session.newestSeq = session.leftOutFrom - 1;
    session.leftOutFrom = undefined;
    session.isRereading = false;
  }

  /**
   * Delivers the reply to a command that did not wait in line, while the turn of an earlier message goes on: that one may
   * wait for it.
   */
  private hurry({ sessionId, replies, early }: SessionReplies, reply: ReplyProgress): void {
    const [first] = replies.values();
    if (!reply.end || first === reply || !first || first.end) return;
    const delivery = this.started.promise.then(() => this.deliver(reply, sessionId));
    delivery.catch((error: unknown) => this.run.fail(error));
    early.set(reply, delivery);
  }

  /** Takes a piece of a block that still grows. */
  takeDelta(delta: DeltaEvent): void {
    // A message that an earlier run has submitted may have had deltas before; its blocks come whole.
    if (this.places.get(delta.messageRef) === undefined) return;
    const session = this.sessionOf(delta.sessionId);
    if (session.isRereading) return;
    this.replyOf(session, delta)?.takeDelta(delta);
    if (!session.isBusy) void this.work(session);
  }

  /** Resolves when every reply that has begun is delivered, or when the run ends. */
  whenIdle(): Promise<void> {
    if (this.sessions.size === 0 || this.run.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => this.waitingForIdle.push(resolve));
  }

  private wakeAll(): void {
    for (const { replies } of this.sessions.values()) for (const reply of replies.values()) reply.wake();
    for (const wake of this.waitingForIdle.splice(0)) wake();
  }

  private sessionOf(sessionId: string): SessionReplies {
    let session = this.sessions.get(sessionId);
    if (!session) {
      session = {
        sessionId,
        replies: new Map(),
        early: new Map(),
        newestSeq: 0,
        leftOutFrom: undefined,
        isRereading: false,
        ahead: new Set(),
        isBusy: false,
      };
      this.sessions.set(sessionId, session);
    }
    return session;
  }

  /** Returns the reply of a message; undefined for a new one when too many wait, or one was left out. */
  private replyOf(
    { replies, leftOutFrom, ahead }: SessionReplies,
    { messageRef, messageId }: Pick<DurableFrame, 'messageRef' | 'messageId'>,
  ): ReplyProgress | undefined {
    let reply = replies.get(messageRef);
    const hasRoom = replies.size < MAX_WAITING_REPLIES && leftOutFrom === undefined && !ahead.has(messageRef);
    if (!reply && hasRoom) {
      const hasAllDeltas = this.places.get(messageRef) !== undefined;
      reply = new ReplyProgress(messageRef, messageId, hasAllDeltas, this.run.clock.now());
      replies.set(messageRef, reply);
      this.begun.set(messageRef, true);
    }
    return reply;
  }

  /** Delivers the replies of a session, one after the other. Never rejects. */
  private async work(session: SessionReplies): Promise<void> {
    session.isBusy = true;
    try {
      await this.started.promise;
      for (let [reply] = session.replies.values(); reply; [reply] = session.replies.values()) {
        await (session.early.get(reply) ?? this.deliver(reply, session.sessionId));
        if (this.run.signal.aborted) return;
        session.early.delete(reply);
        session.replies.delete(reply.messageRef);
        this.confirm(session);
      }
      session.isBusy = false;
      if (session.leftOutFrom !== undefined) {
        session.isRereading = true;
        return this.run.resume(session.sessionId, session.leftOutFrom - 1);
      }
      this.sessions.delete(session.sessionId);
      if (this.sessions.size === 0) for (const wake of this.waitingForIdle.splice(0)) wake();
    } catch (error) {
      this.run.fail(error);
    }
  }

  /** Moves the cursor up to the first frame of a reply that is not delivered. */
  private confirm({ sessionId, replies, newestSeq, leftOutFrom = Infinity }: SessionReplies): void {
    const [next] = replies.values();
    this.run.confirm(sessionId, Math.min(newestSeq, leftOutFrom - 1, (next?.firstSeq ?? Infinity) - 1));
  }

  private async deliver(reply: ReplyProgress, sessionId: string): Promise<void> {
    const known = this.places.get(reply.messageRef);
    const place = known ?? (await this.findPlace(reply)) ?? (await this.askForPlace(reply, sessionId));
    if (!place) {
      while (!reply.end && !this.run.signal.aborted) await reply.changed;
      this.run.log.debug({ message_ref: reply.messageRef }, 'a reply has no place on this channel');
      return;
    }
    const lane = this.laneOf(place);
    const delivered = new AbortController();
    if (this.run.driver.showTyping) void this.typing.show(place, lane, () => !reply.end, delivered.signal);
    try {
      await new ReplyDelivery(this.run, reply, place, lane).deliver(known !== undefined);
    } finally {
      delivered.abort();
    }
    this.places.delete(reply.messageRef);
  }

  /** Finds the place of a message of an earlier run. */
  private async findPlace({
    messageRef,
    messageId,
  }: Pick<ReplyProgress, 'messageRef' | 'messageId'>): Promise<Place | undefined> {
    const { store, channel, persistence } = this.run;
    const found = await persistence.read(() => store.findPlace(channel, messageRef, messageId));
    return found === undefined ? undefined : (JSON.parse(found) as Place);
  }

  /** Asks the driver for the place of a reply whose message came from elsewhere, again while that fails for a while. */
  private async askForPlace(reply: ReplyProgress, sessionId: string): Promise<Place | undefined> {
    const { driver, persistence, log, clock, signal, settings } = this.run;
    const target = await persistence.read(() => this.run.findTarget(sessionId));
    if (target && 'messages' in target) return this.findKnownPlace(target);
    if (!target || !driver.findPlace) return undefined;
    const backoff = new Backoff(clock, signal);
    for (;;) {
      try {
        return await callExtension(this.run, async () => driver.findPlace?.(target));
      } catch (error) {
        if (error instanceof DriverError) throw error;
        const { outcome, retryAfterMs } = error instanceof DeliveryError ? error : {};
        if (outcome === 'refused' || clock.now() - reply.writtenAt > settings.delivery_max_age_ms) {
          log.warn({ error, session_id: sessionId }, 'the place of a reply could not be found');
          this.run.noteLost(this.run.hideSecrets(error instanceof Error ? error.message : String(error)));
          return undefined;
        }
        await backoff.wait(retryAfterMs);
        signal.throwIfAborted();
      }
    }
  }

  /** Finds the place of the newest message of a session that has one. Replies refer to none but their own. */
  private async findKnownPlace({ messages }: KnownMessages): Promise<Place | undefined> {
    for (const message of messages.toReversed()) {
      const found = await this.findPlace(message);
      if (found) return { ...found, replyTo: undefined };
    }
    return undefined;
  }

  private laneOf(place: Place): ChatLane {
    let lane = this.lanes.get(place.chat);
    if (!lane) {
      const { direct, group } = this.run.capabilities.minEditIntervalMs;
      lane = new ChatLane(this.run.clock, this.run.signal, place.isGroup ? group : direct);
      this.lanes.set(place.chat, lane);
    }
    return lane;
  }
}

function idOf({ replyTo, number }: OutboxPart): string {
  return `${replyTo}.${number}`;
}
