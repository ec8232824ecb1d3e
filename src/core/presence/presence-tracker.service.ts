import { Injectable } from '@nestjs/common';
import type { PresenceStatus } from '../../protocol/domain.js';
import { Broker, type Topic } from '../broker/broker.js';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';

/** The presence of one person on one channel. */
export interface PresenceState {
  readonly tenant: string;
  readonly userId: string;
  readonly channel: string;
  readonly status: PresenceStatus;
  /** Unix milliseconds of the last sign. */
  readonly lastSeen: number;
}

/** A state as this replica keeps it. */
interface SeenState extends PresenceState {
  /** Time of the last sign by {@link Clock.elapsed}. States age by it, so steps of the wall clock do not matter. */
  readonly seenAt: number;
}

/**
 * A sign of another replica that seems older than the known one by less than this, in milliseconds, is an older one
 * that came late. By more: a clock was set.
 */
const MAX_DISORDER_MS = 5_000;

export type PresenceListener = (state: PresenceState) => void;

/** Time after the last sign of activity during which a person counts as active, in milliseconds. */
export const ACTIVE_FOR_MS = 300_000;
/** Time after the last sign until a person is offline, in milliseconds. */
export const OFFLINE_AFTER_MS = 900_000;
/** Time after a typing sign during which a person counts as typing, in milliseconds. */
export const TYPING_FOR_MS = 10_000;
const AGE_INTERVAL_MS = 1_000;
/** Interval at which an active person is announced to other replicas, in milliseconds. */
export const ANNOUNCE_INTERVAL_MS = 15_000;
/** Messages of an online person within this time after a sign are no further sign, in milliseconds. */
const SIGN_INTERVAL_MS = 1_000;
/** Number of people tracked; beyond it the one with the oldest sign is dropped. */
const MAX_PEOPLE = 100_000;

/** Presence uses one key of the broker, because every replica needs all of it. */
const ALL = '';

/**
 * Tracks who was active recently on which channel. A state ages from typing to online to idle to offline; people who
 * are offline are dropped.
 *
 * Replicas exchange signs and age states independently. A replica that starts learns of an active person within {@link
 * ANNOUNCE_INTERVAL_MS}.
 */
@Injectable()
export class PresenceTrackerService {
  private readonly log: Log;
  private readonly listeners = new Set<PresenceListener>();
  // Each map is ordered by last sign, so the next state to age comes first.
  private readonly typing = new Map<string, SeenState>();
  private readonly present = new Map<string, SeenState>();
  private readonly idle = new Map<string, SeenState>();
  private readonly signs: Topic<PresenceState>;

  constructor(
    private readonly clock: Clock,
    broker: Broker,
    logs: Logs,
  ) {
    this.log = logs.for('presence');
    this.signs = broker.topic<PresenceState>('presence', (_, state) => this.takeRemote(state));
  }

  /** Starts to age states and to receive signs from other replicas. */
  @StartStep({ name: 'age presence', phase: 'run' })
  start(): Undo {
    this.signs.join(ALL);
    const stopAging = this.clock.setRepeating(AGE_INTERVAL_MS, () => this.age());
    return () => {
      this.signs.leave(ALL);
      stopAging();
    };
  }

  /** Records a sign with an explicit status. */
  update(tenant: string, channel: string, userId: string, status: PresenceStatus): void {
    const state = { tenant, userId, channel, status, lastSeen: this.clock.now() };
    if (this.signs.isHeard(ALL)) this.announce(state);
    this.put(state);
  }

  /**
   * Records a sign without a status, such as a message: the person is online, or stays typing. Costs little for one who
   * writes often: `lastSeen` may be up to {@link SIGN_INTERVAL_MS} late.
   */
  noteActivity(tenant: string, channel: string, userId: string): void {
    const known = this.findSeen(buildKey(tenant, channel, userId));
    if (known?.status === 'online' && this.clock.elapsed() - known.seenAt < SIGN_INTERVAL_MS) return;
    this.update(tenant, channel, userId, known?.status === 'typing' ? 'typing' : 'online');
  }

  find(tenant: string, channel: string, userId: string): PresenceState | undefined {
    return this.findSeen(buildKey(tenant, channel, userId));
  }

  private findSeen(key: string): SeenState | undefined {
    return this.typing.get(key) ?? this.present.get(key) ?? this.idle.get(key);
  }

  /**
   * Whether this person gave a sign within five minutes. Part of the specified interface; the gateway itself uses
   * states.
   */
  isActive(tenant: string, channel: string, userId: string): boolean {
    const state = this.findSeen(buildKey(tenant, channel, userId));
    return state !== undefined && this.clock.elapsed() - state.seenAt < ACTIVE_FOR_MS;
  }

  /** Subscribes `listener` to changes of status. Returns a function that unsubscribes it. */
  onChange(listener: PresenceListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Publishes a change of status immediately, and other signs once per interval. */
  private announce(state: PresenceState): void {
    const before = this.find(state.tenant, state.channel, state.userId);
    if (before?.status === state.status && periodOf(before) === periodOf(state)) return;
    this.signs.publish(ALL, state);
  }

  private takeRemote(state: PresenceState): void {
    const known = this.find(state.tenant, state.channel, state.userId);
    const lateByMs = known ? known.lastSeen - state.lastSeen : 0;
    if (lateByMs <= 0 || lateByMs > MAX_DISORDER_MS) this.put(state);
  }

  private put(state: PresenceState, seenAt = this.clock.elapsed()): void {
    const key = buildKey(state.tenant, state.channel, state.userId);
    const before = this.findSeen(key);
    for (const map of [this.typing, this.present, this.idle]) map.delete(key);
    this.mapFor(state.status)?.set(key, { ...state, seenAt });
    this.forgetOldest();
    if ((before?.status ?? 'offline') !== state.status) this.notify(state);
  }

  private mapFor(status: PresenceStatus): Map<string, SeenState> | undefined {
    switch (status) {
      case 'typing':
        return this.typing;
      case 'online':
        return this.present;
      case 'idle':
        return this.idle;
      case 'offline':
        return undefined;
    }
  }

  private age(): void {
    const now = this.clock.elapsed();
    this.moveOn(this.typing, now - TYPING_FOR_MS, 'online');
    this.moveOn(this.present, now - ACTIVE_FOR_MS, 'idle');
    this.moveOn(this.idle, now - OFFLINE_AFTER_MS, 'offline');
  }

  private moveOn(from: ReadonlyMap<string, SeenState>, seenBefore: number, status: PresenceStatus): void {
    for (const { seenAt, ...state } of from.values()) {
      if (seenAt > seenBefore) return;
      this.put({ ...state, status }, seenAt);
    }
  }

  private forgetOldest(): void {
    if (this.typing.size + this.present.size + this.idle.size <= MAX_PEOPLE) return;
    for (const map of [this.idle, this.present, this.typing]) {
      const [oldest] = map.keys();
      if (oldest !== undefined) return void map.delete(oldest);
    }
  }

  private notify(state: PresenceState): void {
    for (const listener of this.listeners) {
      try {
        listener(state);
      } catch (error) {
        this.log.error({ error }, 'a presence listener threw');
      }
    }
  }
}

function periodOf({ lastSeen }: PresenceState): number {
  return Math.floor(lastSeen / ANNOUNCE_INTERVAL_MS);
}

function buildKey(tenant: string, channel: string, userId: string): string {
  return `${tenant.length}:${tenant}${channel.length}:${channel}${userId}`;
}
