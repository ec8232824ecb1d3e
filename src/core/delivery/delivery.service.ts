import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import { Broker, type Topic } from '../broker/broker.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { failpoint } from '../failpoints/failpoint.js';
import { follow } from '../replicas/follow.js';
import { FrameStore, Store, type DurableFrame, type FollowedPosition, type ResumePosition } from '../store/index.js';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import type { DeltaEvent, FrameReader } from './frame-reader.js';
import { PageReader } from './page-reader.js';
import { SessionFeed } from './session-feed.js';
import { SlowReadersService } from './slow-readers.service.js';
import { SubscribedReader } from './subscribed-reader.js';
import { Subscription, type SubscriptionServices } from './subscription.js';

/** Number of sessions that one connection may always read, however many the others read. */
export const MIN_SUBSCRIPTIONS = 5_000;

/**
 * Sends the logs of sessions to their readers: each committed frame once, in order, without a gap. It knows no sockets:
 * an edge passes {@link FrameReader}s to it.
 */
@Injectable()
export class DeliveryService {
  private readonly log: Log;
  /** By session, for sessions that have readers. */
  private readonly feeds = new Map<string, SessionFeed>();
  /** By the reader's id: those that have read a session, until they are removed. */
  private readonly readers = new Map<string, SubscribedReader>();
  /** By session. Frames reach the readers of other replicas through the log; deltas, which are not stored, through this. */
  private readonly deltas: Topic<DeltaEvent>;
  /** Number of sessions that are read, in total and by tenant. */
  private total = 0;
  private readonly totals = new Map<string, number>();
  private readonly services: SubscriptionServices;
  private readonly writeListeners: ((sessionId: string) => void)[] = [];
  private readonly publishListeners: ((frames: readonly DurableFrame[]) => void)[] = [];
  /** Readers that have gone. A commit that they waited for may still subscribe them. */
  private readonly gone = new WeakSet<FrameReader>();

  // oxlint-disable-next-line max-params -- the log, the ways to its readers, and their limits
  constructor(
    private readonly frames: FrameStore,
    private readonly store: Store,
    private readonly clock: Clock,
    broker: Broker,
    slowReaders: SlowReadersService,
    private readonly config: ConfigStoreService,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
    const pages = new PageReader(frames, clock, this.log);
    this.services = { pages, slowReaders, forget: (subscription) => this.forget(subscription) };
    this.deltas = broker.topic<DeltaEvent>('deltas', (sessionId, delta) =>
      this.feeds.get(sessionId)?.publishDelta(delta),
    );
  }

  /** Follows the frames that other replicas commit. */
  @StartStep({ name: 'follow the log', phase: 'follow' })
  start(): Undo {
    return follow(this.store, this.clock, {
      hints: { frames: ({ sessionId, headSeq }) => this.noticeHead(sessionId, headSeq) },
      poll: () => this.pollHeads(),
      onError: (error) =>
        this.log.warn({ error }, 'the heads of the sessions could not be read; trying again in a second'),
    });
  }

  /** Sends committed frames to the live readers of their sessions. Frames of one session must be in the order of their seq. */
  publish(frames: readonly DurableFrame[]): void {
    failpoint('delivery.before_send');
    const sessionId = frames[0]?.sessionId ?? '';
    if (frames.every((frame) => frame.sessionId === sessionId)) this.publishBurst(sessionId, frames);
    else for (const burst of Map.groupBy(frames, (frame) => frame.sessionId)) this.publishBurst(...burst);
    for (const listener of this.publishListeners) listener(frames);
    failpoint('delivery.after_send');
  }

  private publishBurst(sessionId: string, frames: readonly DurableFrame[]): void {
    for (const listener of this.writeListeners) listener(sessionId);
    this.feeds.get(sessionId)?.publish({ kind: 'frames', frames });
  }

  /** Returns whether a delta of this session could have a reader, here or on another replica. */
  hasDeltaReaders(sessionId: string): boolean {
    return (this.feeds.get(sessionId)?.deltaReaders ?? 0) > 0 || this.deltas.isHeard(sessionId);
  }

  /** Returns the number of connections to this replica that read a session. */
  countReaders(sessionId: string): number {
    return this.feeds.get(sessionId)?.count() ?? 0;
  }

  /** Sends a delta to those readers of its session, here and on other replicas, that want deltas and keep up. */
  publishDelta(delta: DeltaEvent): void {
    this.feeds.get(delta.sessionId)?.publishDelta(delta);
    if (this.deltas.isHeard(delta.sessionId)) this.deltas.publish(delta.sessionId, delta);
  }

  /** Sends the session's frames after `afterSeq` to `reader`, then live ones. Does nothing if `reader` reads the session already, or was removed. */
  subscribe(reader: FrameReader, sessionId: string, afterSeq: number): void {
    if (this.gone.has(reader) || this.find(reader, sessionId)) return;
    this.add(reader, sessionId, afterSeq).checkHead();
  }

  /** Calls `listener` with the frames that this replica has committed, after they were sent. It must not throw. */
  onPublish(listener: (frames: readonly DurableFrame[]) => void): void {
    this.publishListeners.push(listener);
  }

  /** Calls `listener` with each session whose log was written, here or on another replica. */
  onWrite(listener: (sessionId: string) => void): void {
    this.writeListeners.push(listener);
  }

  /**
   * Sends the session's frames after a position that is looked up, then live ones. Does nothing if `reader` reads the session
   * already, or was removed. A reader of as many sessions as it may read is closed: in a new connection it reads on.
   * @param find must not reject
   */
  subscribeFrom(reader: FrameReader, sessionId: string, find: () => Promise<FollowedPosition>): void {
    if (this.gone.has(reader) || this.find(reader, sessionId)) return;
    if (!this.hasRoom(reader)) return reader.close('restarting');
    void this.add(reader, sessionId, 0).startAt(find);
  }

  /**
   * Sends `resumed` with `requestId`, then exactly the frames after `position` that retention has left, then live ones.
   * Resolves with false if retention has deleted some of them.
   * @throws GatewayError RATE_LIMITED as {@link checkRoom} does; STALE_RESUME when `position` is beyond the head, or in the log of another copy of the store
   */
  async resume(reader: FrameReader, position: ResumePosition, requestId: string): Promise<boolean> {
    const { sessionId, seq: afterSeq, epoch } = position;
    const isOfThisLog = epoch === undefined || (await this.frames.hasFrame(sessionId, afterSeq, epoch));
    const page = await this.frames.readFrames(sessionId, afterSeq, 1, 1);
    if (!isOfThisLog || afterSeq > page.headSeq)
      throw new GatewayError('STALE_RESUME', { after_seq: afterSeq, head_seq: page.headSeq });
    const fromSeq = Math.max(afterSeq + 1, page.firstSeq);
    const isComplete = fromSeq === afterSeq + 1;
    if (this.gone.has(reader)) return isComplete;
    const older = this.find(reader, sessionId);
    if (!older) this.checkRoom(reader);
    older?.end();
    reader.send({ kind: 'resumed', requestId, sessionId, fromSeq, headSeq: page.headSeq, isComplete });
    const subscription = this.add(reader, sessionId, fromSeq - 1);
    subscription.session.headSeq = Math.max(subscription.session.headSeq, page.headSeq);
    subscription.checkHead();
    return isComplete;
  }

  /**
   * Checks that a reader may read one session more (`limits.sessions_read`).
   * @throws GatewayError RATE_LIMITED
   */
  checkRoom(reader: FrameReader): void {
    if (!this.hasRoom(reader))
      throw new GatewayError('RATE_LIMITED', { limit: `${this.countOf(reader)} sessions that one connection reads` });
  }

  /** A reader may read as many sessions as are free, less what its tenant reads already: so a tenant leaves half to others. */
  private hasRoom(reader: FrameReader): boolean {
    const count = this.countOf(reader);
    if (count < MIN_SUBSCRIPTIONS) return true;
    const ofTenant = this.totals.get(reader.principal.tenant) ?? 0;
    return count < this.config.get('limits.sessions_read') - this.total - ofTenant;
  }

  /** Removes all subscriptions of a reader that has gone. It gets no new ones. */
  removeReader(reader: FrameReader): void {
    this.gone.add(reader);
    for (const subscription of this.readers.get(reader.id)?.subscriptions.list() ?? []) subscription.end();
    this.readers.delete(reader.id);
  }

  private countOf(reader: FrameReader): number {
    return this.readers.get(reader.id)?.subscriptions.size ?? 0;
  }

  private find(reader: FrameReader, sessionId: string): Subscription | undefined {
    return this.feeds.get(sessionId)?.find(reader);
  }

  private add(reader: FrameReader, sessionId: string, afterSeq: number): Subscription {
    let feed = this.feeds.get(sessionId);
    if (!feed) this.feeds.set(sessionId, (feed = new SessionFeed(sessionId, afterSeq)));
    let owner = this.readers.get(reader.id);
    if (!owner) this.readers.set(reader.id, (owner = new SubscribedReader(reader, this.services)));
    const subscription = new Subscription(owner, feed, afterSeq);
    feed.add(subscription);
    owner.subscriptions.add(subscription);
    if (reader.wantsDeltas && ++feed.deltaReaders === 1) this.deltas.join(sessionId);
    this.count(reader, 1);
    return subscription;
  }

  private forget(subscription: Subscription): void {
    const { reader, session } = subscription;
    this.count(reader, -1);
    this.readers.get(reader.id)?.subscriptions.delete(subscription);
    const feed = this.feeds.get(session.sessionId);
    if (!feed) return;
    feed.remove(subscription);
    if (reader.wantsDeltas && --feed.deltaReaders === 0) this.deltas.leave(feed.sessionId);
    if (feed.isEmpty) this.feeds.delete(feed.sessionId);
  }

  private count({ principal: { tenant } }: FrameReader, change: 1 | -1): void {
    this.total += change;
    const ofTenant = (this.totals.get(tenant) ?? 0) + change;
    if (ofTenant === 0) this.totals.delete(tenant);
    else this.totals.set(tenant, ofTenant);
  }

  private noticeHead(sessionId: string, headSeq: number): void {
    for (const listener of this.writeListeners) listener(sessionId);
    this.feeds.get(sessionId)?.noticeHead(headSeq);
  }

  private async pollHeads(): Promise<void> {
    if (this.feeds.size === 0) return;
    const heads = await this.frames.readHeads([...this.feeds.keys()]);
    for (const { sessionId, seq } of heads) this.noticeHead(sessionId, seq);
  }
}
