import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import { SilentLogs } from '../telemetry/logs.js';
import {
  ACTIVE_FOR_MS,
  OFFLINE_AFTER_MS,
  PresenceTrackerService,
  TYPING_FOR_MS,
  type PresenceState,
} from './presence-tracker.service.js';

let clock: ManualClock;
let presence: PresenceTrackerService;
let told: string[];
beforeEach(() => {
  clock = new ManualClock();
  presence = new PresenceTrackerService(clock, new SilentLogs());
  presence.start();
  told = [];
  presence.onChange((state: PresenceState) => told.push(`${state.userId} ${state.status}`));
});
const isActive = (user: string) => presence.isActive('t', 'web', user);

describe('presence', () => {
  it('[G-13] counts somebody as active for five minutes after the last sign', () => {
    presence.update('t', 'web', 'ann', 'online');
    clock.advance(ACTIVE_FOR_MS - 1_000);
    expect(isActive('ann')).toBe(true);
    presence.noteActivity('t', 'web', 'ann');
    clock.advance(ACTIVE_FOR_MS - 1_000);
    expect(isActive('ann')).toBe(true);
    clock.advance(1_000);
    expect(isActive('ann')).toBe(false);
  });

  it('[G-13] ages from typing to online, idle and offline, and tells each change once', () => {
    presence.update('t', 'web', 'ann', 'typing');
    clock.advance(TYPING_FOR_MS);
    clock.advance(ACTIVE_FOR_MS - TYPING_FOR_MS);
    clock.advance(OFFLINE_AFTER_MS - ACTIVE_FOR_MS);
    expect(told).toEqual(['ann typing', 'ann online', 'ann idle', 'ann offline']);
    expect(presence.find('t', 'web', 'ann')).toBeUndefined();
  });

  it('[G-13] tells nothing when a sign changes nothing', () => {
    presence.update('t', 'web', 'ann', 'online');
    presence.noteActivity('t', 'web', 'ann');
    presence.update('t', 'web', 'bob', 'offline');
    expect(told).toEqual(['ann online']);
  });

  it('[G-13] keeps tenants, channels and people apart', () => {
    presence.update('t', 'web', 'ann', 'online');
    expect(presence.isActive('u', 'web', 'ann')).toBe(false);
    expect(presence.isActive('t', 'weban', 'n')).toBe(false);
    expect(isActive('bob')).toBe(false);
  });

  it('[G-13] tells the others when one listener throws', () => {
    const later: string[] = [];
    presence.onChange(() => {
      throw new Error('no');
    });
    presence.onChange((state) => later.push(state.userId));
    presence.update('t', 'web', 'ann', 'online');
    expect(later).toEqual(['ann']);
  });
});
