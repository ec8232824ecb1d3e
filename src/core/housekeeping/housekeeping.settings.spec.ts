import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../settings.js';

const read = (hours: string) =>
  loadSettings({ OPENCLAW_STORE_SESSION_TTL_HOURS: hours }, {}, '/nonexistent').values['store.session_ttl_hours'];

describe('store.session_ttl_hours', () => {
  it.each(['0', '168', '1000'])('accepts %s', (hours) => {
    expect(read(hours)).toBe(Number(hours));
  });

  it.each(['0.5', '24', '167.9'])('refuses %s: sessions stay as long as the ids of their messages', (hours) => {
    expect(() => read(hours)).toThrow(
      /session_ttl_hours: must be 0 \(never\) or at least 168, because ids of messages/,
    );
  });
});
