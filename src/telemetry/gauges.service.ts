import { Injectable } from '@nestjs/common';
import { ChannelManagerService } from '../core/channels/channel-manager.service.js';
import { ConnectionManagerService } from '../core/connections/connection-manager.service.js';
import { StartStep, type Undo } from '../core/lifecycle/steps.js';
import { VERSION } from '../core/lifecycle/version.js';
import { PhaseService } from '../core/phase/phase.service.js';
import { QueueStore } from '../core/store/index.js';
import { Metrics, NoMetrics, type Gauge, type Metric } from '../core/telemetry/metrics.js';
import { Clock } from '../core/time/clock.js';

/** Interval at which values that cost a read of the store are read, in milliseconds. */
export const READ_INTERVAL_MS = 10_000;

/** The values of one moment. Those of the store are shared by all replicas: take the maximum, not the sum. */
@Injectable()
export class GaugesService {
  private readonly ready: Gauge;
  private readonly connections: Gauge;
  private readonly connected: Metric<'channel', Gauge>;
  private readonly waiting: Gauge;
  private readonly running: Gauge;
  private readonly oldest: Gauge;
  private readonly readAt: Gauge;
  private readonly deadLetters: Metric<'channel', Gauge>;
  /** Channels that had dead letters, or run here. */
  private readonly channelNames = new Set<string>();
  private isReading = false;

  constructor(
    private readonly phase: PhaseService,
    private readonly queue: QueueStore,
    private readonly channels: ChannelManagerService,
    private readonly manager: ConnectionManagerService,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
  ) {
    const gauge = (name: string, help: string) => metrics.gauge({ name, help }).with({});
    const ofChannel = (name: string, help: string) => metrics.gauge({ name, help, labels: ['channel'] });
    metrics
      .gauge({ name: 'openclaw_build_info', help: 'Always 1; its label is the version.', labels: ['version'] })
      .with({ version: VERSION })
      .set(1);
    this.ready = gauge('openclaw_ready', '1 while messages are accepted.');
    this.connections = gauge('openclaw_connections', 'Open WebSocket connections.');
    this.connected = ofChannel('openclaw_channel_connected', '1 while the channel is connected to its platform.');
    const queued = metrics.gauge({
      name: 'openclaw_queue_messages',
      help: 'Messages that wait or run, of all replicas.',
      labels: ['state'],
    });
    this.waiting = queued.with({ state: 'waiting' });
    this.running = queued.with({ state: 'running' });
    this.oldest = gauge('openclaw_queue_oldest_seconds', 'Age of the oldest message that waits, of all replicas.');
    this.deadLetters = ofChannel('openclaw_dead_letters', 'Parts of replies that were given up, of all replicas.');
    this.readAt = gauge(
      'openclaw_store_read_timestamp_seconds',
      'When the values of the queue and of dead letters were read, in Unix seconds.',
    );
  }

  /** Sets the values that cost nothing. */
  refresh(): void {
    this.ready.set(this.phase.phase === 'ready' ? 1 : 0);
    this.connections.set(this.manager.count);
    for (const [channel, { state }] of this.channels.states) {
      this.channelNames.add(channel);
      this.connected.with({ channel }).set(state === 'connected' ? 1 : 0);
    }
  }

  /** Reads the values of the store again and again. While it does not respond, the values stay as they are, and their age grows. */
  @StartStep({ name: 'read values for metrics', phase: 'run', undoneIn: 'settle' })
  start(): Undo | undefined {
    if (this.metrics instanceof NoMetrics) return undefined;
    void this.read();
    return this.clock.setRepeating(READ_INTERVAL_MS, () => void this.read());
  }

  private async read(): Promise<void> {
    if (this.isReading) return;
    this.isReading = true;
    try {
      const now = this.clock.now();
      const [counts, dead] = await Promise.all([this.queue.countQueue(now), this.channels.countDeadLetters()]);
      this.waiting.set(counts.queued);
      this.running.set(counts.running);
      this.oldest.set(counts.oldestAt === undefined ? 0 : Math.max(0, now - counts.oldestAt) / 1_000);
      for (const channel of [...this.channels.states.keys(), ...Object.keys(dead)]) this.channelNames.add(channel);
      for (const channel of this.channelNames) this.deadLetters.with({ channel }).set(dead[channel] ?? 0);
      this.readAt.set(now / 1_000);
    } catch {
      // The store has logged the cause.
    } finally {
      this.isReading = false;
    }
  }
}
