import {
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { encodeFrame } from '../../protocol/encode.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { ConnectionManagerService } from '../connections/connection-manager.service.js';
import { DeliveryService } from '../delivery/delivery.service.js';
import { PresenceTrackerService } from '../presence/presence-tracker.service.js';
import { MessageQueueService } from '../queue/message-queue.service.js';
import { follow } from '../replicas/follow.js';
import { SettingsStore, Store } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import { ToolExplorerService } from '../tools/tool-explorer.service.js';
import { TurnRunnerService } from '../turns/turn-runner.service.js';
import { HousekeepingService } from './housekeeping.service.js';
import { PhaseService } from '../phase/phase.service.js';

interface Step {
  readonly name: string;
  readonly run: () => void | Promise<void>;
}

/** Clients come back spread over this time, in milliseconds, and not sooner than the first number. */
const RECONNECT_AFTER_MS = { least: 500, spread: 2_000 };
/** How long sockets may take to close at the end. */
const CLOSE_WITHIN_MS = 1_000;

/** The order in which the gateway starts and stops, as lists to be read (the chapter's Gateway Lifecycle). */
@Injectable()
export class StartStopService implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly log: Log;
  private readonly hurrying = new AbortController();
  private readonly running: (() => void)[] = [];

  /** Before it listens. The settings were read before anything was built. */
  private readonly startSteps: readonly Step[] = [
    { name: 'open the store', run: () => this.store.open() },
    { name: 'put run-time settings in force', run: () => this.config.open(this.settings) },
    { name: 'register tools', run: () => this.tools.explore() },
    { name: 'follow other replicas', run: () => void this.running.push(this.delivery.start(), this.followSettings()) },
  ];

  /** Once it listens: until then the probes say live, not ready. */
  private readonly readySteps: readonly Step[] = [
    { name: 'run messages', run: () => this.queue.start((claim, signal) => this.turns.run(claim, signal)) },
    {
      name: 'know who is there',
      run: () => void this.running.push(this.presence.start(), this.turns.followPresence()),
    },
    { name: 'keep house', run: () => void this.running.push(this.housekeeping.start()) },
    { name: 'be ready', run: () => this.lifecycle.moveTo('ready') },
  ];

  /** While it still listens: not ready, and new upgrades are refused, from the first step on. */
  private readonly drainSteps: readonly Step[] = [
    { name: 'take nothing new', run: () => this.lifecycle.moveTo('draining') },
    { name: 'tell everybody', run: () => this.sayGoodbye() },
    {
      name: 'finish turns',
      run: () => this.queue.drain(this.config.get('gateway.drain_timeout_ms'), this.hurrying.signal),
    },
    { name: 'stop following and keeping house', run: () => this.running.splice(0).forEach((stop) => stop()) },
    { name: 'close connections', run: () => this.closeConnections() },
  ];

  /** When nothing listens any more. */
  private readonly stopSteps: readonly Step[] = [
    { name: 'close the store', run: () => this.store.close() },
    { name: 'be stopped', run: () => this.lifecycle.moveTo('stopped') },
  ];

  // oxlint-disable-next-line max-params -- the one place that knows every part's place in the order
  constructor(
    private readonly store: Store,
    private readonly settings: SettingsStore,
    private readonly presence: PresenceTrackerService,
    private readonly tools: ToolExplorerService,
    private readonly delivery: DeliveryService,
    private readonly queue: MessageQueueService,
    private readonly turns: TurnRunnerService,
    private readonly connections: ConnectionManagerService,
    private readonly housekeeping: HousekeepingService,
    private readonly lifecycle: PhaseService,
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    private readonly http: HttpAdapterHost,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
  }

  async onApplicationBootstrap(): Promise<void> {
    this.http.listen$?.subscribe(() => void this.becomeReady());
    await this.take(this.startSteps);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.take(this.drainSteps);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.take(this.stopSteps);
  }

  /** Running turns are given back at once instead of waited for. Nothing is lost: they go on after the next start. */
  hurry(): void {
    this.hurrying.abort();
  }

  private async becomeReady(): Promise<void> {
    if (this.lifecycle.phase !== 'starting') return;
    this.lifecycle.moveTo('live');
    await this.take(this.readySteps);
  }

  private async take(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      this.log.debug({ step: step.name }, 'lifecycle');
      await step.run();
    }
  }

  /** Another replica's change is in force here within a second, whether its hint arrives or not. */
  private followSettings(): () => void {
    const onError = (error: unknown) =>
      this.log.warn({ error }, 'the settings could not be read; trying again in a second');
    return follow(this.store, this.clock, {
      hints: { config: () => void this.config.reload().catch(onError) },
      poll: () => this.config.reload(),
      onError,
    });
  }

  private sayGoodbye(): void {
    for (const connection of this.connections.list()) {
      const reconnectAfterMs = RECONNECT_AFTER_MS.least + Math.round(Math.random() * RECONNECT_AFTER_MS.spread);
      connection.send(encodeFrame('going_away', { reason: 'draining', reconnect_after_ms: reconnectAfterMs }));
    }
  }

  private async closeConnections(): Promise<void> {
    this.connections.closeAll('restarting');
    const patience = new AbortController();
    await Promise.race([this.connections.whenEmpty(), this.clock.sleep(CLOSE_WITHIN_MS, patience.signal)]);
    patience.abort();
  }
}
