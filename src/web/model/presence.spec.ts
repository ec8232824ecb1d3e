import { afterEach, beforeEach, expect, describe, it, vi } from 'vitest';
import { Presence } from './presence.js';

let told: string[];
let presence: Presence;
beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  presence = new Presence((status) => told.push(status));
});
afterEach(() => vi.useRealTimers());

describe('presence', () => {
  it('tells of typing now and then while it goes on, and when it has stopped', () => {
    for (let i = 0; i < 70; i++) {
      presence.typed();
      vi.advanceTimersByTime(100);
    }
    expect(told).toEqual(['typing', 'typing', 'typing']);
    vi.advanceTimersByTime(4_000);
    expect(told.at(-1)).toBe('online');
    vi.advanceTimersByTime(60_000);
    expect(told).toHaveLength(4);
  });

  it('tells at once when the text was sent', () => {
    presence.typed();
    presence.sent();
    presence.sent();
    expect(told).toEqual(['typing', 'online']);
  });

  it('tells of a page that is hidden, shown and left, once each', () => {
    presence.shown(false);
    presence.shown(false);
    presence.shown(true);
    presence.left();
    presence.shown(false);
    expect(told).toEqual(['idle', 'online', 'offline']);
  });

  it('is told again to a gateway that has just been connected', () => {
    presence.typed();
    presence.connected();
    expect(told).toEqual(['typing', 'typing']);
  });
});
