import { Injectable } from '@nestjs/common';
import type { PresenceStatus } from '../../protocol/index.js';
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

const ACTIVE_FOR_MS = 300_000;
/** People remembered at most; the one whose last sign is oldest is forgotten first. */
const MOST_PEOPLE = 100_000;

/** Who was seen lately on which channel (the chapter's Presence Tracker). */
@Injectable()
export class PresenceTrackerService {
  private readonly states = new Map<string, PresenceState>();

  constructor(private readonly clock: Clock) {}

  update(tenant: string, channel: string, userId: string, status: PresenceStatus): PresenceState {
    const key = buildKey(tenant, channel, userId);
    const state = { tenant, userId, channel, status, lastSeen: this.clock.now() };
    // Deleted first, so that the map stays in the order of the last signs.
    this.states.delete(key);
    this.states.set(key, state);
    if (this.states.size > MOST_PEOPLE) this.states.delete(this.states.keys().next().value as string);
    return state;
  }

  find(tenant: string, channel: string, userId: string): PresenceState | undefined {
    return this.states.get(buildKey(tenant, channel, userId));
  }

  /** Whether there was a sign of this person within five minutes. */
  isActive(tenant: string, channel: string, userId: string): boolean {
    const state = this.find(tenant, channel, userId);
    return state !== undefined && this.clock.now() - state.lastSeen < ACTIVE_FOR_MS;
  }
}

function buildKey(tenant: string, channel: string, userId: string): string {
  return JSON.stringify([tenant, channel, userId]);
}
