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

export type PresenceListener = (state: PresenceState) => void;

/** Time after the last sign for which a person counts as active (the chapter's five minutes), in milliseconds. */
export const ACTIVE_FOR_MS = 300_000;
/** Time after the last sign at which a person is offline, in milliseconds. */
export const OFFLINE_AFTER_MS = 900_000;
/** Time for which a person counts as typing after saying so, in milliseconds. */
export const TYPING_FOR_MS = 10_000;
const AGE_INTERVAL_MS = 1_000;
/** A person who stays active is announced to other replicas once in each such period, in milliseconds. */
export const ANNOUNCE_INTERVAL_MS = 15_000;
/** People remembered; beyond it the one with the oldest last sign is forgotten. */
const MAX_PEOPLE = 100_000;

/** All of presence is one key of the broker: every replica wants all of it. */
const ALL = '';

/**
 * Tracks who was seen recently on which channel (the chapter's Presence Tracker). A state ages: typing becomes online,
 * online idle, idle offline; people who are offline are forgotten.
 *
 * Replicas tell each other of signs and age alone. One that starts knows a person once that person's next sign is
 * announced: within {@link ANNOUNCE_INTERVAL_MS} for those who stay active.
 */
@Injectable()
export class PresenceTrackerService {
  private readonly log: Log;
  private readonly listeners = new Set<PresenceListener>();
  // Each map is in the order of the last signs, so that what is due stands in front.
  private readonly typing = new Map<string, PresenceState>();
  private readonly present = new Map<string, PresenceState>();
  private readonly idle = new Map<string, PresenceState>();
  private readonly signs: Topic<PresenceState>;

  constructor(
    private readonly clock: Clock,
    broker: Broker,
    logs: Logs,
  ) {
    this.log = logs.for('presence');
    this.signs = broker.topic<PresenceState>('presence', (_, state) => this.takeRemote(state));
  }

  /** Ages states, and takes signs of other replicas. */
  @StartStep({ name: 'age presence', phase: 'run' })
  start(): Undo {
    this.signs.join(ALL);
    const stopAging = this.clock.setRepeating(AGE_INTERVAL_MS, () => this.age());
    return () => {
      this.signs.leave(ALL);
      stopAging();
    };
  }

  /** Takes a sign of a person, with the status that it gives. */
  update(tenant: string, channel: string, userId: string, status: PresenceStatus): void {
    const state = { tenant, userId, channel, status, lastSeen: this.clock.now() };
    if (this.signs.isHeard(ALL)) this.announce(state);
    this.put(state);
  }

  /** Takes a sign without a status, such as a message: the person is online, or goes on typing. */
  noteActivity(tenant: string, channel: string, userId: string): void {
    const known = this.find(tenant, channel, userId)?.status;
    this.update(tenant, channel, userId, known === 'typing' ? 'typing' : 'online');
  }

  find(tenant: string, channel: string, userId: string): PresenceState | undefined {
    const key = buildKey(tenant, channel, userId);
    return this.typing.get(key) ?? this.present.get(key) ?? this.idle.get(key);
  }

  /** Whether there was a sign of this person within five minutes. The chapter names it; the gateway itself uses states. */
  isActive(tenant: string, channel: string, userId: string): boolean {
    const state = this.find(tenant, channel, userId);
    return state !== undefined && this.clock.now() - state.lastSeen < ACTIVE_FOR_MS;
  }

  /** Calls `listener` after each change of a status. Returns a function that unsubscribes. */
  onChange(listener: PresenceListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Publishes a change of status at once, and other signs once in each period. */
  private announce(state: PresenceState): void {
    const before = this.find(state.tenant, state.channel, state.userId);
    if (before?.status === state.status && periodOf(before) === periodOf(state)) return;
    this.signs.publish(ALL, state);
  }

  private takeRemote(state: PresenceState): void {
    const known = this.find(state.tenant, state.channel, state.userId);
    if (!known || known.lastSeen <= state.lastSeen) this.put(state);
  }

  private put(state: PresenceState): void {
    const key = buildKey(state.tenant, state.channel, state.userId);
    const before = this.find(state.tenant, state.channel, state.userId);
    for (const map of [this.typing, this.present, this.idle]) map.delete(key);
    this.mapFor(state.status)?.set(key, state);
    this.forgetOldest();
    if ((before?.status ?? 'offline') !== state.status) this.notify(state);
  }

  private mapFor(status: PresenceStatus): Map<string, PresenceState> | undefined {
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
    const now = this.clock.now();
    this.moveOn(this.typing, now - TYPING_FOR_MS, 'online');
    this.moveOn(this.present, now - ACTIVE_FOR_MS, 'idle');
    this.moveOn(this.idle, now - OFFLINE_AFTER_MS, 'offline');
  }

  private moveOn(from: ReadonlyMap<string, PresenceState>, seenBefore: number, status: PresenceStatus): void {
    for (const state of from.values()) {
      if (state.lastSeen > seenBefore) return;
      this.put({ ...state, status });
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
        this.log.error({ error }, 'a listener for presence threw');
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
