import { Injectable } from '@nestjs/common';
import { BoundedMap } from '../cache/bounded-map.js';
import { DeliveryService } from '../delivery/delivery.service.js';
import { clientKey } from '../identity/principal.js';
import { listFollowed } from '../sessions/access.js';
import { FrameStore, SessionStore, type ClientKey, type FollowedPosition } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import type { Connection } from './connection.js';
import { ConnectionManagerService } from './connection-manager.service.js';

/** Number of sessions whose channel is cached: those written last. */
const MAX_KNOWN = 20_000;
/** Pause after a failed look-up, in milliseconds. */
const RETRY_DELAY_MS = 1_000;

/** A connection that reads all sessions of its channels. */
interface Follower {
  readonly connection: Connection;
  readonly client: ClientKey;
  /** The tenant and the channels, as keys. */
  readonly channels: readonly string[];
  /** Resolves when its connect is stored, or when it has gone. */
  readonly isNoted: Promise<void>;
}

/**
 * Makes connections of drivers the readers of all sessions of their channels (protocol.md section 5, rule 6). Each session is
 * read from the position of the client on, once it is written to: after the cursor, or after the first connect of the client.
 */
@Injectable()
export class ChannelFollowersService {
  private readonly log: Log;
  private readonly connections = new Map<Connection, Follower>();
  /** By tenant and channel. */
  private readonly followers = new Map<string, Set<Follower>>();
  /** The tenant and the channel of sessions. */
  private readonly channels = new BoundedMap<string, string>(MAX_KNOWN);
  /** Sessions whose channel is being looked up. */
  private readonly asked = new Set<string>();

  constructor(
    private readonly delivery: DeliveryService,
    private readonly frames: FrameStore,
    private readonly sessions: SessionStore,
    private readonly clock: Clock,
    connections: ConnectionManagerService,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
    connections.onRegister((connection) => this.follow(connection));
    connections.onRemove((connection) => this.unfollow(connection));
    delivery.onWrite((sessionId) => this.notice(sessionId));
  }

  private follow(connection: Connection): void {
    const { principal, clientId } = connection;
    const channels = listFollowed(principal).map((channel) => keyOf(principal.tenant, channel));
    if (channels.length === 0) return;
    const client = clientKey(principal, clientId);
    const isGone = () => !this.connections.has(connection);
    const isNoted = Promise.resolve().then(() => this.call(isGone, () => this.frames.noteFollower(client)));
    const follower = { connection, client, channels, isNoted };
    this.connections.set(connection, follower);
    for (const channel of channels)
      this.followers.set(channel, (this.followers.get(channel) ?? new Set()).add(follower));
  }

  private unfollow(connection: Connection): void {
    const follower = this.connections.get(connection);
    if (!follower) return;
    this.connections.delete(connection);
    for (const channel of follower.channels) {
      this.followers.get(channel)?.delete(follower);
      if (this.followers.get(channel)?.size === 0) this.followers.delete(channel);
    }
  }

  private notice(sessionId: string): void {
    if (this.connections.size === 0) return;
    const channel = this.channels.get(sessionId);
    if (channel === undefined) void this.lookUp(sessionId);
    else this.subscribe(sessionId, channel);
  }

  private subscribe(sessionId: string, channel: string): void {
    for (const follower of this.followers.get(channel) ?? [])
      this.delivery.subscribeFrom(follower.connection, sessionId, () => this.findPosition(follower, sessionId));
  }

  /** Finds the channel of a session. What is written to it meanwhile is read from its log. */
  private async lookUp(sessionId: string): Promise<void> {
    if (this.asked.has(sessionId)) return;
    this.asked.add(sessionId);
    const isOver = () => this.connections.size === 0;
    const session = await this.call(isOver, () => this.sessions.findSession(sessionId));
    this.asked.delete(sessionId);
    if (!session) return;
    const channel = keyOf(session.tenant, session.channel);
    this.channels.set(sessionId, channel);
    this.subscribe(sessionId, channel);
  }

  private async findPosition({ connection, client, isNoted }: Follower, sessionId: string): Promise<FollowedPosition> {
    await isNoted;
    const isGone = () => !this.connections.has(connection);
    const found = await this.call(isGone, () => this.frames.findPosition(client, sessionId));
    return found ?? { seq: 0, headSeq: 0 };
  }

  /** Calls the store until it responds. Resolves with undefined when it is over before that. */
  private async call<T>(isOver: () => boolean, make: () => Promise<T>): Promise<T | undefined> {
    while (!isOver()) {
      try {
        return await make();
      } catch (error) {
        this.log.warn({ error }, 'the store did not respond for a reader of a channel; trying again in a second');
        await this.clock.sleep(RETRY_DELAY_MS);
      }
    }
    return undefined;
  }
}

function keyOf(tenant: string, channel: string): string {
  return `${tenant}\0${channel}`;
}
