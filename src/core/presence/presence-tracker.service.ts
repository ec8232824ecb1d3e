import { Injectable } from '@nestjs/common';
import type { PresenceStatus } from '../../protocol/index.js';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';

/** What is known of a person on a channel. */
export interface PresenceState {
  readonly tenant: string;
  readonly userId: string;
  readonly channel: string;
  readonly status: PresenceStatus;
  /** Unix milliseconds of the last sign. */
  readonly lastSeen: number;
}

export type PresenceListener = (state: PresenceState) => void;

/** Somebody counts as active for this long after the last sign (the chapter's five minutes), then as idle. */
export const ACTIVE_FOR_MS = 300_000;
/** After this long without a sign somebody is gone. */
export const OFFLINE_AFTER_MS = 900_000;
/** Whoever typed and then says nothing has stopped. */
export const TYPING_FOR_MS = 10_000;
const LOOK_EVERY_MS = 1_000;
/** People remembered at most; the one whose last sign is oldest is forgotten first. */
const MOST_PEOPLE = 100_000;

/**
 * Who was seen lately on which channel (the chapter's Presence Tracker). A state ages by itself: typing becomes online,
 * online idle, idle offline; who is offline is forgotten.
 */
@Injectable()
export class PresenceTrackerService {
  private readonly log: Log;
  private readonly listeners = new Set<PresenceListener>();
  // Each map is in the order of the last signs, so that what is due stands in front.
  private readonly typing = new Map<string, PresenceState>();
  private readonly present = new Map<string, PresenceState>();
  private readonly idle = new Map<string, PresenceState>();

  constructor(
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('presence');
  }

  /** Lets states age. */
  @StartStep({ name: 'age presence', phase: 'run' })
  start(): Undo {
    return this.clock.setRepeating(LOOK_EVERY_MS, () => this.age());
  }

  /** Takes a sign of somebody. */
  update(tenant: string, channel: string, userId: string, status: PresenceStatus): void {
    this.put({ tenant, userId, channel, status, lastSeen: this.clock.now() });
  }

  /** Takes a sign of life that says no more than that: whoever writes is online, or goes on typing. */
  noteActivity(tenant: string, channel: string, userId: string): void {
    const known = this.find(tenant, channel, userId)?.status;
    this.update(tenant, channel, userId, known === 'typing' ? 'typing' : 'online');
  }

  find(tenant: string, channel: string, userId: string): PresenceState | undefined {
    const key = buildKey(tenant, channel, userId);
    return this.typing.get(key) ?? this.present.get(key) ?? this.idle.get(key);
  }

  /** Whether there was a sign of this person within five minutes. */
  isActive(tenant: string, channel: string, userId: string): boolean {
    const state = this.find(tenant, channel, userId);
    return state !== undefined && this.clock.now() - state.lastSeen < ACTIVE_FOR_MS;
  }

  /** Calls `listener` after each change of a status; the answer ends it. */
  onChange(listener: PresenceListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private put(state: PresenceState): void {
    const key = buildKey(state.tenant, state.channel, state.userId);
    const before = this.find(state.tenant, state.channel, state.userId);
    for (const map of [this.typing, this.present, this.idle]) map.delete(key);
    this.mapFor(state.status)?.set(key, state);
    this.forgetOldest();
    if ((before?.status ?? 'offline') !== state.status) this.tell(state);
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
    if (this.typing.size + this.present.size + this.idle.size <= MOST_PEOPLE) return;
    for (const map of [this.idle, this.present, this.typing]) {
      const [oldest] = map.keys();
      if (oldest !== undefined) return void map.delete(oldest);
    }
  }

  private tell(state: PresenceState): void {
    for (const listener of this.listeners) {
      try {
        listener(state);
      } catch (error) {
        this.log.error({ error }, 'a listener for presence threw');
      }
    }
  }
}

function buildKey(tenant: string, channel: string, userId: string): string {
  return `${tenant.length}:${tenant}${channel.length}:${channel}${userId}`;
}
