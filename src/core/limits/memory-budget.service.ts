import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../config/config-store.service.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { countEach, Metrics, type Counter, type Gauge } from '../telemetry/metrics.js';
import { Clock } from '../time/clock.js';

/** Size up to which a holder is not counted, in bytes. Most connections never hold more. */
export const FREE_BYTES = 65_536;

/** Share of a holder when the others use everything, in bytes. */
export const MIN_SHARE_BYTES = 163_840;

/** A holder gets this part of what is free, so that a few cannot take everything. */
const SHARES = 8;

/** Time for which the health report mentions that a holder reached its share, and between two lines of the log, in milliseconds. */
const REPORTED_MS = 60_000;

const KINDS = ['connection', 'request', 'response'] as const;

/** A holder of bytes: a WebSocket, an HTTP request by its body, or an HTTP response. */
export type HolderKind = (typeof KINDS)[number];

/**
 * Limits what connections and HTTP exchanges hold in memory together (`limits.buffered_bytes`). Each holder
 * may hold an eighth of what is free, less what its owner uses already: many small ones fit, a few large ones do not take
 * everything, and an owner that uses much leaves room to others. What a holder does at its share is its own rule.
 */
@Injectable()
export class MemoryBudgetService {
  private used = 0;
  private readonly usedBy = new Map<string, number>();
  private reachedAt: number | undefined;
  private loggedAt: number | undefined;
  private readonly reached: Readonly<Record<HolderKind, Counter>>;
  private readonly gauge: Gauge;
  private readonly log: Log;

  constructor(
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    metrics: Metrics,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
    this.gauge = metrics
      .gauge({
        name: 'openclaw_buffered_bytes',
        help: 'Bytes that connections and HTTP exchanges hold in memory, above 64 KiB each.',
      })
      .with({});
    this.reached = countEach(metrics, {
      name: 'openclaw_buffered_limit_total',
      help: 'Times that a connection or an HTTP exchange reached its share of limits.buffered_bytes.',
      label: 'holder',
      values: KINDS,
    });
  }

  /** Bytes that one holder of `owner` may hold now. */
  shareOf(owner: string): number {
    const free = this.config.get('limits.buffered_bytes') - this.used - (this.usedBy.get(owner) ?? 0);
    return Math.max(MIN_SHARE_BYTES, free / SHARES);
  }

  /** True if a holder has reached its share within the last minute. */
  get wasReached(): boolean {
    return this.reachedAt !== undefined && this.clock.elapsed() - this.reachedAt < REPORTED_MS;
  }

  /**
   * Adds a holder.
   * @param owner for which its bytes are counted: a tenant, or the address of a peer that has none yet
   */
  open(kind: HolderKind, owner: string): Holding {
    return new Holding(this, kind, owner);
  }

  /** For {@link Holding} only: changes what an owner uses. */
  change(owner: string, bytes: number): void {
    this.used += bytes;
    this.gauge.set(this.used);
    const total = (this.usedBy.get(owner) ?? 0) + bytes;
    if (total === 0) this.usedBy.delete(owner);
    else this.usedBy.set(owner, total);
  }

  /** For {@link Holding} only: reports that a holder has reached its share. */
  noteReached(kind: HolderKind, owner: string): void {
    this.reached[kind].add();
    const now = this.clock.elapsed();
    this.reachedAt = now;
    if (this.loggedAt !== undefined && now - this.loggedAt < REPORTED_MS) return;
    this.loggedAt = now;
    const fields = {
      holder: kind,
      owner,
      used_bytes: this.used,
      limit_bytes: this.config.get('limits.buffered_bytes'),
    };
    this.log.warn(fields, 'the limit of buffered bytes is reached; see limits.buffered_bytes');
  }
}

/** The bytes that one holder has in memory. */
export class Holding {
  private counted = 0;
  private isOver = false;

  /** See {@link MemoryBudgetService.open}. */
  constructor(
    private readonly budget: MemoryBudgetService,
    private readonly kind: HolderKind,
    private readonly owner: string,
  ) {}

  /** Sets what the holder has now, in bytes. Returns whether it is within its share. */
  set(bytes: number): boolean {
    const counted = Math.max(0, bytes - FREE_BYTES);
    if (counted !== this.counted) this.budget.change(this.owner, counted - this.counted);
    this.counted = counted;
    const wasOver = this.isOver;
    this.isOver = counted > 0 && bytes > this.budget.shareOf(this.owner);
    if (this.isOver && !wasOver) this.budget.noteReached(this.kind, this.owner);
    return !this.isOver;
  }

  /** The holder has nothing any more. Idempotent. */
  release(): void {
    this.set(0);
  }
}
