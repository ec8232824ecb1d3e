import { Injectable } from '@nestjs/common';
import { encodeFrame } from '../../protocol/encode.js';
import { GatewayError, type CloseName } from '../../protocol/index.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { StopStep } from '../lifecycle/steps.js';
import { clientKey } from '../identity/principal.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock, type CancelTimer } from '../time/clock.js';
import type { Connection } from './connection.js';

/** Timers cannot wait for longer than this; a later end is looked at again. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Clients reconnect after at least the first number of milliseconds, spread over the second. */
const RECONNECT_AFTER_MS = { least: 500, spread: 2_000 };
/** Time for connections to close at the stop, in milliseconds. */
const CLOSE_WITHIN_MS = 1_000;

/** Everybody who is connected (the chapter's Connection Manager): one live connection for each client, with its heartbeat. */
@Injectable()
export class ConnectionManagerService {
  /** By connection id, in the order in which they came. */
  private readonly connections = new Map<string, Connection>();
  private readonly heartbeats = new Map<string, CancelTimer>();
  private readonly expiries = new Map<string, CancelTimer>();
  private readonly byClient = new Map<string, Connection>();
  private readonly waitingForEmpty: (() => void)[] = [];
  private readonly log: Log;

  constructor(
    private readonly clock: Clock,
    private readonly config: ConfigStoreService,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
  }

  /** Takes an authenticated connection in. An older one of the same client is closed with 4010: the newer one wins. */
  register(connection: Connection): void {
    const client = nameOf(connection);
    const older = this.byClient.get(client);
    if (older) {
      this.remove(older);
      older.close('replaced');
    }
    this.connections.set(connection.id, connection);
    this.byClient.set(client, connection);
    const period = this.config.get('gateway.heartbeat_interval_ms');
    this.heartbeats.set(
      connection.id,
      this.clock.setRepeating(period, () => connection.heartbeat()),
    );
    this.watchExpiry(connection);
    if (this.log.isEnabled('debug')) this.log.debug(describe(connection), 'connected');
  }

  /** Lets a connection go that has ended or is about to. Idempotent. */
  remove(connection: Connection): void {
    if (!this.connections.delete(connection.id)) return;
    this.heartbeats.get(connection.id)?.();
    this.heartbeats.delete(connection.id);
    this.expiries.get(connection.id)?.();
    this.expiries.delete(connection.id);
    const client = nameOf(connection);
    if (this.byClient.get(client) === connection) this.byClient.delete(client);
    if (this.log.isEnabled('debug')) this.log.debug(describe(connection), 'disconnected');
    if (this.connections.size === 0) for (const resolve of this.waitingForEmpty.splice(0)) resolve();
  }

  /** Resolves once nobody is connected. */
  whenEmpty(): Promise<void> {
    if (this.connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.waitingForEmpty.push(resolve));
  }

  /** @throws GatewayError NOT_FOUND */
  get(connectionId: string): Connection {
    const connection = this.find(connectionId);
    if (!connection) throw new GatewayError('NOT_FOUND', { what: 'connection' });
    return connection;
  }

  find(connectionId: string): Connection | undefined {
    return this.connections.get(connectionId);
  }

  list(): readonly Connection[] {
    return [...this.connections.values()];
  }

  get count(): number {
    return this.connections.size;
  }

  /** Sends one encoded frame to a connection; nothing happens when it is gone. */
  send(connectionId: string, frame: string): void {
    this.connections.get(connectionId)?.send(frame);
  }

  /** Sends one encoded frame to everybody but the connection `exclude`. */
  broadcast(frame: string, exclude?: string): void {
    for (const [id, connection] of this.connections) {
      if (id !== exclude) connection.send(frame);
    }
  }

  /** Announces the stop, with a time to reconnect that differs for each client. */
  @StopStep({ name: 'tell clients to reconnect', phase: 'announce' })
  announceStop(): void {
    for (const connection of this.list()) {
      const reconnectAfterMs = RECONNECT_AFTER_MS.least + Math.round(Math.random() * RECONNECT_AFTER_MS.spread);
      connection.send(encodeFrame('going_away', { reason: 'draining', reconnect_after_ms: reconnectAfterMs }));
    }
  }

  /** Closes all connections for a restart and waits for the peers. */
  @StopStep({ name: 'close connections', phase: 'disconnect', withinMs: CLOSE_WITHIN_MS })
  async disconnect(): Promise<void> {
    this.closeAll('restarting');
    await this.whenEmpty();
  }

  /** Begins to close every connection; each leaves the list when its close is done. */
  closeAll(name: CloseName): void {
    for (const connection of this.list()) connection.close(name);
  }

  /** A connection does not outlive its credential. */
  private watchExpiry(connection: Connection): void {
    const { expiresAt } = connection.principal;
    if (expiresAt === undefined) return;
    const remainingMs = expiresAt - this.clock.now();
    if (remainingMs <= 0) return connection.close('unauthorized');
    const cancel = this.clock.setTimer(Math.min(remainingMs, LONGEST_TIMER_MS), () => this.watchExpiry(connection));
    this.expiries.set(connection.id, cancel);
  }
}

/** The client's full identity; JSON keeps the parts apart whatever they hold. */
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
