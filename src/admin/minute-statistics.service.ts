import { Injectable } from '@nestjs/common';
import { BoundedMap } from '../core/cache/bounded-map.js';
import { StartStep, type Undo } from '../core/lifecycle/steps.js';
import { MessageQueueService } from '../core/queue/message-queue.service.js';
import { AdminStore, ALL_TENANTS, QueueStore } from '../core/store/index.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { Clock } from '../core/time/clock.js';
import { TurnRunnerService } from '../core/turns/turn-runner.service.js';

/** Number of minutes that are kept. */
const MAX_MINUTES = 60;

const MINUTE_MS = 60_000;

/** Number of tenants whose minutes are kept. Of more, those that were idle longest are forgotten. */
const MAX_TENANTS = 1_000;

/** Ratio of two neighbouring buckets of durations: a percentile is at most 15% too high. */
const BUCKET_RATIO = 1.15;

export interface MinuteCounts {
  /** The beginning of the minute, in Unix milliseconds. */
  readonly at: number;
  /** Messages that were accepted. */
  readonly messages: number;
  /** Messages that waited at its end. */
  readonly waiting: number;
  /** The time within which 95% of the replies had their first block, in milliseconds; absent without a reply. */
  readonly firstBlockP95Ms?: number;
  /** Turns that ended with an error. */
  readonly failed: number;
}

interface Minute {
  readonly at: number;
  messages: number;
  waiting: number;
  failed: number;
  /** Number of durations by their bucket. */
  readonly firstBlocks: Map<number, number>;
}

/** Counts the messages and turns of this replica for each tenant and minute of the last hour, in memory. */
@Injectable()
export class MinuteStatisticsService {
  private readonly tenants = new BoundedMap<string, Minute[]>(MAX_TENANTS);
  private readonly names = new Set<string>();
  private readonly log: Log;

  constructor(
    private readonly queue: MessageQueueService,
    private readonly turns: TurnRunnerService,
    private readonly counts: QueueStore,
    private readonly store: AdminStore,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
  }

  @StartStep({ name: 'count messages by the minute', phase: 'follow' })
  start(): Undo {
    this.queue.onAccepted(({ client }) => this.minuteOf(client.tenant).messages++);
    this.turns.onEnd(({ claim, reason, firstBlockMs }) => {
      const minute = this.minuteOf(claim.session.tenant);
      if (reason === 'error') minute.failed++;
      if (firstBlockMs === undefined) return;
      const bucket = Math.ceil(Math.log(Math.max(1, firstBlockMs)) / Math.log(BUCKET_RATIO));
      minute.firstBlocks.set(bucket, (minute.firstBlocks.get(bucket) ?? 0) + 1);
    });
    return this.clock.setRepeating(MINUTE_MS, () => void this.sampleWaiting());
  }

  /** Returns the last {@link MAX_MINUTES} minutes of a tenant, or of `ALL_TENANTS`, oldest first. The newest one is not over. */
  list(tenant: string): readonly MinuteCounts[] {
    const now = Math.floor(this.clock.now() / MINUTE_MS) * MINUTE_MS;
    const known = Map.groupBy(this.findMinutes(tenant), (minute) => minute.at);
    return Array.from({ length: MAX_MINUTES }, (_, index) => {
      const at = now - (MAX_MINUTES - 1 - index) * MINUTE_MS;
      const minutes = known.get(at) ?? [];
      const sum = (name: 'messages' | 'waiting' | 'failed') => minutes.reduce((total, one) => total + one[name], 0);
      const [messages, waiting, failed] = [sum('messages'), sum('waiting'), sum('failed')];
      const p95 = findPercentile(minutes.flatMap(({ firstBlocks }) => [...firstBlocks]));
      return { at, messages, waiting, failed, ...(p95 !== undefined && { firstBlockP95Ms: p95 }) };
    });
  }

  private findMinutes(tenant: string): readonly Minute[] {
    return tenant === ALL_TENANTS ? [...this.tenants.values()].flat() : (this.tenants.get(tenant) ?? []);
  }

  private minuteOf(tenant: string): Minute {
    let minutes = this.tenants.get(tenant);
    if (!minutes) this.tenants.set(tenant, (minutes = []));
    this.names.add(tenant);
    const at = Math.floor(this.clock.now() / MINUTE_MS) * MINUTE_MS;
    const newest = minutes.at(-1);
    if (newest && newest.at >= at) return newest;
    const minute = { at, messages: 0, waiting: 0, failed: 0, firstBlocks: new Map<number, number>() };
    minutes.push(minute);
    if (minutes.length > MAX_MINUTES) minutes.shift();
    return minute;
  }

  /** Notes how many messages of each tenant wait. A tenant is asked about while it has messages. */
  private async sampleWaiting(): Promise<void> {
    try {
      const { queued } = await this.counts.countQueue(0);
      for (const tenant of this.names) {
        const waiting = queued === 0 ? 0 : (await this.store.listWaitingMessages({ tenant, limit: 1 })).waiting;
        if (waiting > 0) this.minuteOf(tenant).waiting = waiting;
        else this.names.delete(tenant);
      }
    } catch (error) {
      this.log.debug({ error }, 'the waiting messages could not be counted');
    }
  }
}

/** Returns the upper bound of the bucket in which 95% are reached. */
function findPercentile(buckets: readonly (readonly [bucket: number, count: number])[]): number | undefined {
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  for (const [bucket, count] of buckets.toSorted(([a], [b]) => a - b)) {
    seen += count;
    if (seen >= total * 0.95) return Math.round(BUCKET_RATIO ** bucket);
  }
  return undefined;
}
