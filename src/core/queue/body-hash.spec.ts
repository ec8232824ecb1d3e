import { describe, expect, it } from 'vitest';
import { hashBody } from './body-hash.js';

describe('the fingerprint of a message', () => {
  it('[M-06] is the same whatever the order of the keys', () => {
    const a = { channel: 'web', sender: 'ann', content: 'hi', metadata: { x: 1, y: [{ b: 1, a: 2 }] } };
    const b = { metadata: { y: [{ a: 2, b: 1 }], x: 1 }, content: 'hi', sender: 'ann', channel: 'web' };
    expect(hashBody('message_in', undefined, a)).toBe(hashBody('message_in', undefined, b));
  });

  it('[M-06] differs for another type, session or payload', () => {
    const payload = { channel: 'web', sender: 'ann', content: 'hi' };
    const all = [
      hashBody('message_in', undefined, payload),
      hashBody('message_in', 's_1', payload),
      hashBody('acme.message', undefined, payload),
      hashBody('message_in', undefined, { ...payload, content: 'ho' }),
      hashBody('message_in', undefined, { ...payload, queue: 'q' }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});
