import { afterEach, beforeEach, expect, describe, it, vi } from 'vitest';
import { Presence } from './presence.js';

let reported: string[];
let presence: Presence;
beforeEach(() => {
  vi.useFakeTimers();
  reported = [];
  presence = new Presence((status) => reported.push(status));
});
afterEach(() => vi.useRealTimers());

describe('presence', () => {
  it('reports typing at intervals while it lasts, and its end', () => {
    for (let i = 0; i < 70; i++) {
      presence.typed();
      vi.advanceTimersByTime(100);
    }
    expect(reported).toEqual(['typing', 'typing', 'typing']);
    vi.advanceTimersByTime(4_000);
    expect(reported.at(-1)).toBe('online');
    vi.advanceTimersByTime(60_000);
    expect(reported).toHaveLength(4);
  });

  it('reports the end of typing at once when the text was sent', () => {
    presence.typed();
    presence.sent();
    presence.sent();
    expect(reported).toEqual(['typing', 'online']);
  });

  it('reports that the page was hidden, shown and left, once each', () => {
    presence.shown(false);
    presence.shown(false);
    presence.shown(true);
    presence.left();
    presence.shown(false);
    expect(reported).toEqual(['idle', 'online', 'offline']);
  });

  it('is sent again after a reconnect', () => {
    presence.typed();
    presence.connected();
    expect(reported).toEqual(['typing', 'typing']);
  });
});
