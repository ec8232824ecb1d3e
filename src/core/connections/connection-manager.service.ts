import { Injectable } from '@nestjs/common';
import { Broker, type ExclusiveKeys } from '../broker/broker.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { StopStep } from '../lifecycle/steps.js';
import { clientKey } from '../identity/principal.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import { DeliveryService } from '../delivery/delivery.service.js';
import type { CloseReason } from '../delivery/frame-reader.js';
import { SlowReadersService } from '../delivery/slow-readers.service.js';
import type { Connection, ConnectionEvent } from './connection.js';
import { Heartbeats } from './heartbeats.js';

/** Range of the delay after which clients should reconnect, in milliseconds. */
const MIN_RECONNECT_DELAY_MS = 500;
const MAX_RECONNECT_DELAY_MS = 2_500;
/** Time for connections to close at the stop, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1_000;

/** @param isReplaced true if a newer connection of the same client is the reason. Called again when the socket has ended. */
type RemoveListener = (connection: Connection, isReplaced: boolean) => void;

/**
 * Keeps the open connections, at most one per client, and runs their heartbeats (the chapter's Connection Manager).
 * `send` and `broadcast` are part of the chapter and used by gateway classes of extensions.
 */
@Injectable()
export class ConnectionManagerService {
  /** By connection id, in the order of their registration. */
  private readonly connections = new Map<string, Connection>();
  private readonly heartbeats: Heartbeats;
  private readonly byClient = new Map<string, Connection>();
  /** Those of {@link connections} that want presence. */
  private readonly presenceReaders = new Set<Connection>();
  private readonly registerListeners: ((connection: Connection) => void)[] = [];
  private readonly removeListeners: RemoveListener[] = [];
  private readonly waitingForEmpty: (() => void)[] = [];
  /** By client: the replica with the newest connection of a client holds its key. */
  private readonly exclusive: ExclusiveKeys;
  private readonly log: Log;

  constructor(
    clock: Clock,
    private readonly config: ConfigStoreService,
    private readonly slowReaders: SlowReadersService,
    private readonly delivery: DeliveryService,
    broker: Broker,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
    const interval = () => this.config.get('gateway.heartbeat_interval_ms');
    this.heartbeats = new Heartbeats(clock, interval, (connection) => this.beat(connection));
    this.exclusive = broker.exclusiveKeys('connections', (client) => this.replace(client));
  }

  /**
   * Adds an authenticated connection. An older connection of the same client is closed as `replaced`: at once on this
   * replica, with a short delay on another.
   */
  register(connection: Connection): void {
    const client = nameOf(connection);
    this.replace(client);
    this.exclusive.hold(client);
    this.connections.set(connection.id, connection);
    this.byClient.set(client, connection);
    if (connection.wantsPresence) this.presenceReaders.add(connection);
    this.heartbeats.add(connection);
    for (const listener of this.registerListeners) listener(connection);
    if (this.log.isEnabled('debug')) this.log.debug(describe(connection), 'connected');
  }

  /** Removes a connection that has ended or is closing, registered or not: it reads no session any more. Idempotent. */
  remove(connection: Connection, isReplaced = false): void {
    this.delivery.removeReader(connection);
    for (const listener of this.removeListeners) listener(connection, isReplaced);
    if (!this.connections.delete(connection.id)) return;
    this.presenceReaders.delete(connection);
    this.heartbeats.remove(connection);
    const client = nameOf(connection);
    if (this.byClient.get(client) === connection) {
      this.byClient.delete(client);
      this.exclusive.release(client);
    }
    if (this.log.isEnabled('debug')) this.log.debug(describe(connection), 'disconnected');
    if (this.connections.size === 0) for (const resolve of this.waitingForEmpty.splice(0)) resolve();
  }

  /** Calls `listener` for each connection that is added. */
  onRegister(listener: (connection: Connection) => void): void {
    this.registerListeners.push(listener);
  }

  /** Calls `listener` for each connection that is removed. It handles no further request. */
  onRemove(listener: RemoveListener): void {
    this.removeListeners.push(listener);
  }

  private beat(connection: Connection): void {
    if (connection.heartbeat() === 'slowReader') this.slowReaders.close(connection);
  }

  private replace(client: string): void {
    const older = this.byClient.get(client);
    if (!older) return;
    this.remove(older, true);
    older.close('replaced');
  }

  /** Resolves when there are no connections. */
  whenEmpty(): Promise<void> {
    if (this.connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.waitingForEmpty.push(resolve));
  }

  find(connectionId: string): Connection | undefined {
    return this.connections.get(connectionId);
  }

  list(): readonly Connection[] {
    return [...this.connections.values()];
  }

  /** Connections that asked for presence, of all tenants and roles. */
  listPresenceReaders(): Iterable<Connection> {
    return this.presenceReaders;
  }

  get count(): number {
    return this.connections.size;
  }

  /** Sends an event to one connection. Does nothing when it has ended. */
  send(connectionId: string, event: ConnectionEvent): void {
    this.connections.get(connectionId)?.send(event);
  }

  /** Sends an event to every connection except the one with the id `exclude`. */
  broadcast(event: ConnectionEvent, exclude?: string): void {
    for (const [id, connection] of this.connections) {
      if (id !== exclude) connection.send(event);
    }
  }

  /** Announces the stop, with a random delay to reconnect for each client. */
  @StopStep({ name: 'announce the stop to clients', phase: 'announce' })
  announceStop(): void {
    for (const connection of this.list()) {
      const reconnectAfterMs =
        MIN_RECONNECT_DELAY_MS + Math.round(Math.random() * (MAX_RECONNECT_DELAY_MS - MIN_RECONNECT_DELAY_MS));
      connection.send({ kind: 'goingAway', reconnectAfterMs });
    }
  }

  /** Closes all connections for a restart and waits until they have ended. */
  @StopStep({ name: 'close connections', phase: 'disconnect', withinMs: CLOSE_TIMEOUT_MS })
  async disconnect(): Promise<void> {
    this.closeAll('restarting');
    await this.whenEmpty();
  }

  /** Starts to close every connection. Each is removed when its close is complete. */
  closeAll(reason: CloseReason): void {
    for (const connection of this.list()) connection.close(reason);
  }
}

/** Returns the full identity of the client. JSON separates the parts unambiguously. */
function nameOf({ principal, clientId }: Connection): string {
  const { tenant, principal: name } = clientKey(principal, clientId);
  return JSON.stringify([tenant, name, clientId]);
}

function describe(connection: Connection): object {
  const { principal, clientId, id } = connection;
  return {
    connection_id: id,
    client_id: clientId,
    principal: principal.principal,
    tenant: principal.tenant,
    role: principal.role,
  };
}
