import { Injectable } from '@nestjs/common';
import { BoundedMap } from '../cache/bounded-map.js';
import { GatewayError, type NodeCommand } from '../../protocol/domain.js';
import type { Connection } from '../connections/connection.js';
import { ConnectionManagerService } from '../connections/connection-manager.service.js';
import type { CloseReason } from '../delivery/frame-reader.js';
import { StartStep } from '../lifecycle/steps.js';
import { NodeStore } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';

/** As many replaced connections of a node within this time, in milliseconds, mean that two machines have its key. */
const CONTEST_WINDOW_MS = 300_000;
const CONTEST_REPLACEMENTS = 3;
/** Nodes whose replacements are known: a token may name any number of nodes. */
const MAX_CONTESTED = 1_000;

/** Time after the start in which nodes that were connected before come back, in milliseconds. */
const RETURN_MS = 5_000;

/** A connected node that has registered its commands. */
export interface NodeLink {
  readonly nodeId: string;
  readonly tenant: string;
  readonly connection: Connection;
  /** The commands that it offers, as it describes them. */
  readonly offered: readonly NodeCommand[];
  /** When it connected, in Unix milliseconds. */
  readonly since: number;
  /** True while its page is not in front, where browsers stop its script. */
  isHidden: boolean;
}

/** Keeps the connections of nodes. */
@Injectable()
export class NodeLinksService {
  private readonly links = new Map<string, NodeLink>();
  private readonly gone = new WeakSet<Connection>();
  /** The nodes that have registered since the start. */
  private readonly known = new Set<string>();
  private startedAt: number;
  /** When connections of a node were replaced, by the monotonic clock. */
  private readonly replacedAt = new BoundedMap<string, number[]>(MAX_CONTESTED);
  private readonly listeners = new Set<(nodeId: string, link: NodeLink | undefined) => void>();
  private readonly log: Log;

  constructor(
    private readonly connections: ConnectionManagerService,
    private readonly store: NodeStore,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
    this.startedAt = clock.elapsed();
    connections.onRemove((connection, isReplaced) => this.detach(connection, isReplaced));
  }

  /** Begins the time in which nodes come back: not while the store migrates, when no port is open. */
  @StartStep({ name: 'wait for nodes', phase: 'follow' })
  awaitNodes(): void {
    this.startedAt = this.clock.elapsed();
  }

  /** Calls `listener` when a node has registered, when it has left, and when its page has come or gone. */
  onChange(listener: (nodeId: string, link: NodeLink | undefined) => void): void {
    this.listeners.add(listener);
  }

  find(nodeId: string): NodeLink | undefined {
    return this.links.get(nodeId);
  }

  /** Waits, for a short time after the start, for a node that may have been connected before. */
  async awaitStart(nodeId: string, signal: AbortSignal): Promise<void> {
    const restMs = this.startedAt + RETURN_MS - this.clock.elapsed();
    if (restMs <= 0 || this.known.has(nodeId)) return;
    const stop = new AbortController();
    const onAttach = (attached: string) => attached === nodeId && stop.abort();
    this.listeners.add(onAttach);
    await this.clock.sleep(restMs, AbortSignal.any([signal, stop.signal]));
    this.listeners.delete(onAttach);
  }

  /** Returns the node of a connection that has registered. @throws GatewayError FORBIDDEN */
  get(connection: Connection): NodeLink {
    const link = this.links.get(connection.clientId);
    if (link?.connection === connection) return link;
    throw new GatewayError('FORBIDDEN', { reason: 'a node registers its commands with node_register first' });
  }

  /** Notes that a node has registered. Returns false if its connection has ended meanwhile. */
  attach(nodeId: string, connection: Connection, offered: readonly NodeCommand[]): boolean {
    if (this.gone.has(connection)) return false;
    const { tenant } = connection.principal;
    this.known.add(nodeId);
    this.links.set(nodeId, { nodeId, tenant, connection, offered, since: this.clock.now(), isHidden: false });
    this.announce(nodeId);
    return true;
  }

  setHidden(link: NodeLink, isHidden: boolean): void {
    link.isHidden = isHidden;
    this.announce(link.nodeId);
  }

  /** Ends the connections of a node, registered or not. */
  close(tenant: string, nodeId: string, reason: CloseReason): void {
    for (const connection of this.connections.list()) {
      const { principal, clientId } = connection;
      if (principal.role === 'node' && principal.tenant === tenant && clientId === nodeId) connection.close(reason);
    }
  }

  /** Returns whether several machines seem to connect as this node and replace each other. */
  isContested(nodeId: string): boolean {
    return this.recentReplacements(nodeId).length >= CONTEST_REPLACEMENTS;
  }

  private detach(connection: Connection, isReplaced: boolean): void {
    if (connection.principal.role !== 'node') return;
    this.gone.add(connection);
    const nodeId = connection.clientId;
    if (isReplaced) this.noteReplacement(nodeId);
    if (this.links.get(nodeId)?.connection !== connection) return;
    this.links.delete(nodeId);
    this.announce(nodeId);
    this.store.noteNodesSeen([nodeId]).catch((error: unknown) => {
      this.log.debug({ error, node: nodeId }, 'when a node was last seen could not be stored');
    });
  }

  private noteReplacement(nodeId: string): void {
    const times = [...this.recentReplacements(nodeId), this.clock.elapsed()];
    this.replacedAt.set(nodeId, times);
    if (times.length === CONTEST_REPLACEMENTS)
      this.log.warn({ node: nodeId }, 'two machines use the key of this node: its connections replace each other');
  }

  private recentReplacements(nodeId: string): number[] {
    const since = this.clock.elapsed() - CONTEST_WINDOW_MS;
    const recent = (this.replacedAt.get(nodeId) ?? []).filter((at) => at > since);
    if (recent.length === 0) this.replacedAt.delete(nodeId);
    return recent;
  }

  private announce(nodeId: string): void {
    for (const listener of this.listeners) listener(nodeId, this.links.get(nodeId));
  }
}
