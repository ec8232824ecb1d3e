import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { GatewayError, type NodeEventPayload } from '../../protocol/domain.js';
import type { Connection } from '../connections/connection.js';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { NodeStore, type NodeEventQuery, type NodeEventRecord } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock, DAY_MS } from '../time/clock.js';
import { listEventHandlers, type DeviceEvent, type NodeEventHandler } from './node-event.decorator.js';
import { NodeLinksService } from './node-links.service.js';
import { SecondRate } from './second-rate.js';

const MAX_EVENTS_PER_SECOND = 10;

/** Maximum length of the data of an event as JSON, in UTF-16 units. */
const MAX_DATA_LENGTH = 65_536;

/** Events that are read at a time to be handled. */
const PORTION = 100;

/** Pause before events are handled again whose handler could not decide, in milliseconds. */
const RETRY_DELAY_MS = 1_000;

/** Events of the page itself: its script is stopped soon, or runs again. */
const OF_THE_PAGE: Readonly<Record<string, boolean>> = { 'node.hidden': true, 'node.visible': false };

/** Takes events of nodes, keeps them for a day, and hands each to its handlers: in order, and again after a crash. */
@Injectable()
export class NodeEventsService {
  private readonly rate: SecondRate;
  private readonly log: Log;
  private readonly listeners: NodeEventHandler[] = [];
  private readonly handlers = new Map<string, NodeEventHandler[]>();
  private isStarted = false;
  private isBusy = false;
  private hasMore = false;

  constructor(
    private readonly store: NodeStore,
    private readonly links: NodeLinksService,
    private readonly discovery: DiscoveryService,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
    this.rate = new SecondRate(clock, MAX_EVENTS_PER_SECOND);
  }

  /**
   * Calls `handler` for each event, whatever its name, before the methods with `@NodeEvent`. If it rejects with a retryable
   * GatewayError, the event is handled again later.
   */
  onEvent(handler: NodeEventHandler): void {
    this.listeners.push(handler);
  }

  /** Handles the events that an earlier process did not, then new ones. */
  @StartStep({ name: 'handle events of nodes', phase: 'run' })
  start(): Undo {
    for (const { instance } of this.discovery.getProviders()) this.collect(instance as unknown);
    this.isStarted = true;
    this.wake();
    return () => {
      this.isStarted = false;
    };
  }

  /**
   * Stores an event and acknowledges it, if the node has given it an ID.
   * @throws GatewayError RATE_LIMITED, INVALID_PAYLOAD, STORE_UNAVAILABLE
   */
  async take(connection: Connection, requestId: string, payload: NodeEventPayload): Promise<void> {
    const link = this.links.get(connection);
    const { event, event_id: eventId, data } = payload;
    const isHidden = OF_THE_PAGE[event];
    if (isHidden !== undefined) return this.links.setHidden(link, isHidden);
    const retryAfterMs = this.rate.take(link.nodeId);
    if (retryAfterMs > 0)
      throw new GatewayError('RATE_LIMITED', { limit: 'events per second of a node' }, { retryAfterMs });
    const text = data === undefined ? undefined : JSON.stringify(data);
    if (text !== undefined && text.length > MAX_DATA_LENGTH) {
      const message = `must have at most ${MAX_DATA_LENGTH} characters as JSON`;
      throw new GatewayError('INVALID_PAYLOAD', { faults: [{ pointer: '/data', message }] });
    }
    const { nodeId, tenant } = link;
    const record = { nodeId, tenant, eventId: eventId ?? `g-${randomUUID()}`, event, data: text, at: this.clock.now() };
    const isNew = await this.store.addNodeEvent(record);
    if (eventId !== undefined) connection.send({ kind: 'node', what: 'eventTaken', requestId, eventId });
    if (isNew) this.wake();
  }

  /** Lists the events of the last day, newest first. */
  list(query: Omit<NodeEventQuery, 'since'>): Promise<readonly NodeEventRecord[]> {
    return this.store.listNodeEvents({ ...query, since: this.clock.now() - DAY_MS });
  }

  private collect(provider: unknown): void {
    if (typeof provider !== 'object' || provider === null) return;
    for (const { event, method } of listEventHandlers(provider)) {
      const handler = (provider as Readonly<Record<string, NodeEventHandler>>)[method] as NodeEventHandler;
      this.handlers.set(event, [...(this.handlers.get(event) ?? []), handler.bind(provider)]);
    }
  }

  private wake(): void {
    this.hasMore = true;
    if (!this.isStarted || this.isBusy) return;
    this.isBusy = true;
    void this.handleAll().finally(() => {
      this.isBusy = false;
      if (this.hasMore) this.wake();
    });
  }

  private async handleAll(): Promise<void> {
    while (this.hasMore && this.isStarted) {
      this.hasMore = false;
      try {
        const events = await this.store.listUnsettledNodeEvents(PORTION);
        const isDone = await Promise.all(
          [...Map.groupBy(events, ({ nodeId }) => nodeId).values()].map((ofNode) => this.handleInOrder(ofNode)),
        );
        if (events.length === PORTION) this.hasMore = true;
        if (isDone.every(Boolean)) continue;
      } catch (error) {
        this.log.warn({ error }, 'events of nodes could not be read; trying again in a second');
      }
      this.hasMore = true;
      await this.clock.sleep(RETRY_DELAY_MS);
    }
  }

  /** Returns false if the events from one on have to be handled again. */
  private async handleInOrder(events: readonly NodeEventRecord[]): Promise<boolean> {
    for (const event of events) {
      const data = event.data === undefined ? null : (JSON.parse(event.data) as unknown);
      if (!(await this.handle({ ...event, data }))) return false;
      await this.store.settleNodeEvent(event.nodeId, event.eventId);
    }
    return true;
  }

  /** Calls the handlers of an event. Returns false if one could not decide now. */
  private async handle(event: DeviceEvent): Promise<boolean> {
    for (const handler of [...this.listeners, ...(this.handlers.get(event.event) ?? [])]) {
      try {
        await handler(event);
      } catch (error) {
        if (error instanceof GatewayError && error.retryable) return false;
        this.log.error({ error, node: event.nodeId, event: event.event }, 'a handler of an event of a node failed');
      }
    }
    return true;
  }
}
