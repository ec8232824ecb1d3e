import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import { InProcessBroker } from '../broker/in-process-broker.js';
import { SilentLogs } from '../telemetry/logs.js';
import {
  ACTIVE_FOR_MS,
  ANNOUNCE_INTERVAL_MS,
  MAX_PEOPLE,
  OFFLINE_AFTER_MS,
  PresenceTrackerService,
  TYPING_FOR_MS,
  type PresenceState,
} from './presence-tracker.service.js';

let clock: ManualClock;
let broker: InProcessBroker;
let presence: PresenceTrackerService;
let reported: string[];
beforeEach(() => {
  clock = new ManualClock();
  broker = new InProcessBroker(clock, new SilentLogs());
  presence = new PresenceTrackerService(clock, broker, new SilentLogs());
  presence.start();
  reported = [];
  presence.onChange((state: PresenceState) => reported.push(`${state.userId} ${state.status}`));
});
const isActive = (user: string) => presence.isActive('t', 'web', user);

describe('presence', () => {
  it('[G-13] counts a user as active for five minutes after the last activity', () => {
    presence.update('t', 'web', 'ann', 'online');
    clock.advance(ACTIVE_FOR_MS - 1_000);
    expect(isActive('ann')).toBe(true);
    presence.noteActivity('t', 'web', 'ann');
    clock.advance(ACTIVE_FOR_MS - 1_000);
    expect(isActive('ann')).toBe(true);
    clock.advance(1_000);
    expect(isActive('ann')).toBe(false);
  });

  it('[G-13] ages from typing to online, idle and offline, and reports each change once', () => {
    presence.update('t', 'web', 'ann', 'typing');
    clock.advance(TYPING_FOR_MS);
    clock.advance(ACTIVE_FOR_MS - TYPING_FOR_MS);
    clock.advance(OFFLINE_AFTER_MS - ACTIVE_FOR_MS);
    expect(reported).toEqual(['ann typing', 'ann online', 'ann idle', 'ann offline']);
    expect(presence.find('t', 'web', 'ann')).toBeUndefined();
  });

  it('[G-13] ages each person on time, whatever the order in which they got their status', () => {
    presence.update('t', 'web', 'ann', 'online');
    presence.update('t', 'web', 'tom', 'typing');
    clock.advance(5_000);
    presence.update('t', 'web', 'bob', 'online');
    clock.advance(200_000);
    presence.update('t', 'web', 'eve', 'idle');
    clock.advance(ACTIVE_FOR_MS - 205_000);
    const statusOf = (who: string) => reported.filter((line) => line.startsWith(who)).at(-1);
    expect(['ann', 'tom', 'bob', 'eve'].map(statusOf)).toEqual(['ann idle', 'tom idle', 'bob online', 'eve idle']);
    clock.advance(OFFLINE_AFTER_MS - ACTIVE_FOR_MS);
    expect(['ann', 'tom', 'bob', 'eve'].map(statusOf)).toEqual(['ann offline', 'tom offline', 'bob idle', 'eve idle']);
    clock.advance(205_000);
    expect(['bob', 'eve'].map(statusOf)).toEqual(['bob offline', 'eve offline']);
  });

  it('[G-13] reports nothing when the status stays the same', () => {
    presence.update('t', 'web', 'ann', 'online');
    presence.noteActivity('t', 'web', 'ann');
    presence.update('t', 'web', 'bob', 'offline');
    expect(reported).toEqual(['ann online']);
  });

  it('[G-13] takes messages of an online person as one sign a second', () => {
    presence.update('t', 'web', 'ann', 'online');
    const seenAt = clock.now();
    clock.advance(999);
    presence.noteActivity('t', 'web', 'ann');
    expect(presence.find('t', 'web', 'ann')?.lastSeen).toBe(seenAt);
    clock.advance(1);
    presence.noteActivity('t', 'web', 'ann');
    expect(presence.find('t', 'web', 'ann')?.lastSeen).toBe(seenAt + 1_000);
  });

  it('forgets the person with the oldest sign when there are too many', () => {
    for (let n = 0; n <= MAX_PEOPLE; n++) presence.update('t', 'telegram', `person-${n}`, 'online');
    expect(presence.find('t', 'telegram', 'person-0')).toBeUndefined();
    expect(presence.find('t', 'telegram', 'person-1')).toBeDefined();
    expect(presence.find('t', 'telegram', `person-${MAX_PEOPLE}`)).toBeDefined();
  });

  it('[G-13] separates tenants, channels and users', () => {
    presence.update('t', 'web', 'ann', 'online');
    expect(presence.isActive('u', 'web', 'ann')).toBe(false);
    expect(presence.isActive('t', 'weban', 'n')).toBe(false);
    expect(isActive('bob')).toBe(false);
  });

  it('[G-13] calls the other listeners when one throws', () => {
    const later: string[] = [];
    presence.onChange(() => {
      throw new Error('no');
    });
    presence.onChange((state) => later.push(state.userId));
    presence.update('t', 'web', 'ann', 'online');
    expect(later).toEqual(['ann']);
  });
});

describe('presence on two replicas', () => {
  let other: PresenceTrackerService;
  let reportedThere: string[];
  beforeEach(() => {
    other = new PresenceTrackerService(clock, new InProcessBroker(clock, new SilentLogs(), broker), new SilentLogs());
    other.start();
    reportedThere = [];
    other.onChange((state) => reportedThere.push(`${state.userId} ${state.status}`));
  });

  it('is the same on both, and activity on either keeps a user active', async () => {
    presence.update('t', 'web', 'ann', 'typing');
    await clock.advanceAsync(ACTIVE_FOR_MS - 1_000);
    expect(other.find('t', 'web', 'ann')).toEqual(presence.find('t', 'web', 'ann'));
    other.noteActivity('t', 'web', 'ann');
    await clock.advanceAsync(ACTIVE_FOR_MS - 1_000);
    expect(isActive('ann')).toBe(true);
    other.update('t', 'web', 'ann', 'offline');
    await clock.advanceAsync(0);
    expect(reported).toEqual(['ann typing', 'ann online', 'ann offline']);
    expect(reportedThere).toEqual(reported);
  });

  it('is announced at a change of status, otherwise once per interval', async () => {
    const seen: number[] = [];
    const third = new InProcessBroker(clock, new SilentLogs(), broker);
    third.topic('presence', () => seen.push(clock.now())).join('');
    const start = clock.now();
    for (let second = 0; second < 30; second++) {
      presence.noteActivity('t', 'web', 'ann');
      await clock.advanceAsync(1_000);
    }
    expect(seen).toEqual([start, start + ANNOUNCE_INTERVAL_MS]);
  });

  it('ignores an older sign that arrives late', async () => {
    presence.update('t', 'web', 'ann', 'typing');
    clock.advance(1);
    other.update('t', 'web', 'ann', 'online');
    await clock.advanceAsync(0);
    expect(other.find('t', 'web', 'ann')?.status).toBe('online');
    expect(presence.find('t', 'web', 'ann')?.status).toBe('online');
  });

  it.each([86_400_000, -86_400_000])('[N-01] ages by what passed, not by a clock that is set by %d ms', (ms) => {
    presence.update('t', 'web', 'ann', 'online');
    clock.setWallTime(ms);
    clock.advance(ACTIVE_FOR_MS - 1_000);
    expect(isActive('ann')).toBe(true);
    clock.advance(1_000);
    expect(isActive('ann')).toBe(false);
    expect(reported).toEqual(['ann online', 'ann idle']);
  });

  it('[N-01] hears other replicas after their clocks were set back', async () => {
    presence.update('t', 'web', 'ann', 'online');
    await clock.advanceAsync(0);
    clock.setWallTime(-86_400_000);
    presence.update('t', 'web', 'ann', 'typing');
    await clock.advanceAsync(0);
    expect(other.find('t', 'web', 'ann')?.status).toBe('typing');
  });
});
