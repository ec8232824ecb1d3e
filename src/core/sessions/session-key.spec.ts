import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildSessionSeed } from './session-key.js';

const part = fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom('a', 'b', ':', '1', '/', '"', '\\') });
const message = fc.record({
  channel: part,
  sender: part,
  group_id: fc.option(part, { nil: undefined }),
  thread_id: fc.option(part, { nil: undefined }),
  queue: fc.option(part, { nil: undefined }),
});

describe('the session of a message', () => {
  it('[G-01] is that of its queue if it names one, else of its group, else of its sender', () => {
    const main = { channel: 'web', sender: 'ann' };
    expect(buildSessionSeed('t', main).mode).toBe('main');
    expect(buildSessionSeed('t', { ...main, group_id: 'g' }).mode).toBe('group');
    expect(buildSessionSeed('t', { ...main, group_id: 'g', queue: 'q' }).mode).toBe('queue');
  });

  it('[G-02] is the same for all senders in a group or a queue, otherwise different for each sender', () => {
    const of = (sender: string, rest: object) => buildSessionSeed('t', { channel: 'web', sender, ...rest }).id;
    expect(of('ann', { group_id: 'g' })).toBe(of('bob', { group_id: 'g' }));
    expect(of('ann', { queue: 'q' })).toBe(of('bob', { queue: 'q' }));
    expect(of('ann', {})).not.toBe(of('bob', {}));
  });

  it('[G-03] never collides with that of another key, whatever the parts contain', () => {
    fc.assert(
      fc.property(fc.tuple(part, message), fc.tuple(part, message), ([tenantA, a], [tenantB, b]) => {
        const first = buildSessionSeed(tenantA, a);
        const second = buildSessionSeed(tenantB, b);
        const key = (tenant: string, seed: typeof first) =>
          JSON.stringify([tenant, seed.mode, seed.channel, seed.keyParts]);
        expect(first.id === second.id).toBe(key(tenantA, first) === key(tenantB, second));
      }),
      { numRuns: 500 },
    );
  });
});
