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

/** A status that is kept: people who are offline are dropped. */
type Sign = Exclude<PresenceStatus, 'offline'>;

/** A state as this replica keeps it. */
interface SeenState extends PresenceState {
  readonly status: Sign;
  /** The status of the last sign. */
  readonly sign: Sign;
  /** Time of the last sign by {@link Clock.elapsed}. States age by it, so steps of the wall clock do not matter. */
  readonly seenAt: number;
}

/** People with the same last sign and the same status, ordered by last sign: the next one to age comes first. */
type Group = Map<string, SeenState>;

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
/** The status that follows each status, and its time after the last sign. */
const AGES = {
  typing: { next: 'online', afterMs: TYPING_FOR_MS },
  online: { next: 'idle', afterMs: ACTIVE_FOR_MS },
  idle: { next: 'offline', afterMs: OFFLINE_AFTER_MS },
} as const;
const SIGNS = ['typing', 'online', 'idle'] as const satisfies readonly Sign[];
const AGE_INTERVAL_MS = 1_000;
/** Interval at which an active person is announced to other replicas, in milliseconds. */
export const ANNOUNCE_INTERVAL_MS = 15_000;
/** Messages of an online person within this time after a sign are not further signs, in milliseconds. */
const SIGN_INTERVAL_MS = 1_000;
/** Number of people tracked, of about 400 bytes each; beyond it the one with the oldest sign is dropped. */
export const MAX_PEOPLE = 16_384;

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
  private readonly people = new Map<string, SeenState>();
  /** By last sign, then by status. With one group for a status, people who age into it would break its order. */
  private readonly groups: Readonly<Record<Sign, Readonly<Record<Sign, Group>>>> = {
    typing: createGroups(),
    online: createGroups(),
    idle: createGroups(),
  };
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
    const known = this.people.get(buildKey(tenant, channel, userId));
    if (known?.status === 'online' && this.clock.elapsed() - known.seenAt < SIGN_INTERVAL_MS) return;
    this.update(tenant, channel, userId, known?.status === 'typing' ? 'typing' : 'online');
  }

  /** The states of everyone who is not offline, of all tenants. */
  list(): readonly PresenceState[] {
    return [...this.people.values()];
  }

  /** Forgets a person, who counts as offline. */
  forget(tenant: string, channel: string, userId: string): void {
    if (this.find(tenant, channel, userId)) this.update(tenant, channel, userId, 'offline');
  }

  find(tenant: string, channel: string, userId: string): PresenceState | undefined {
    return this.people.get(buildKey(tenant, channel, userId));
  }

  /**
   * Returns whether this person was active within five minutes. Part of the specified interface; the gateway itself
   * uses states.
   */
  isActive(tenant: string, channel: string, userId: string): boolean {
    const state = this.people.get(buildKey(tenant, channel, userId));
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

  /** Records the sign `state`. */
  private put(state: PresenceState): void {
    this.set(state, state.status, this.clock.elapsed());
  }

  /** @param sign the status of the last sign; `offline` has no group */
  private set(state: PresenceState, sign: PresenceStatus, seenAt: number): void {
    const key = buildKey(state.tenant, state.channel, state.userId);
    const before = this.people.get(key);
    if (before) this.drop(key, before);
    if (state.status !== 'offline' && sign !== 'offline') {
      const seen = { ...state, status: state.status, sign, seenAt };
      this.people.set(key, seen);
      this.groups[sign][seen.status].set(key, seen);
    }
    this.forgetOldest();
    if ((before?.status ?? 'offline') !== state.status) this.notify(state);
  }

  private drop(key: string, { sign, status }: SeenState): void {
    this.people.delete(key);
    this.groups[sign][status].delete(key);
  }

  private age(): void {
    const now = this.clock.elapsed();
    for (const status of SIGNS) for (const sign of SIGNS) this.ageGroup(this.groups[sign][status], AGES[status], now);
  }

  private ageGroup(group: Group, { next, afterMs }: (typeof AGES)[Sign], now: number): void {
    for (const { seenAt, sign, ...state } of group.values()) {
      if (now - seenAt < afterMs) return;
      this.set({ ...state, status: next }, sign, seenAt);
    }
  }

  private forgetOldest(): void {
    if (this.people.size <= MAX_PEOPLE) return;
    for (const status of SIGNS.toReversed()) {
      const firsts = SIGNS.flatMap((sign) => [...this.groups[sign][status].entries().take(1)]);
      const [oldest] = firsts.toSorted(([, a], [, b]) => a.seenAt - b.seenAt);
      if (oldest) return this.drop(...oldest);
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

function createGroups(): Record<Sign, Group> {
  return { typing: new Map(), online: new Map(), idle: new Map() };
}

function periodOf({ lastSeen }: PresenceState): number {
  return Math.floor(lastSeen / ANNOUNCE_INTERVAL_MS);
}

function buildKey(tenant: string, channel: string, userId: string): string {
  return `${tenant.length}:${tenant}${channel.length}:${channel}${userId}`;
}
