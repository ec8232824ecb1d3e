import { describe, expect, it } from 'vitest';
import { CallSlots, type SlotUser } from './call-slots.js';

const never = new AbortController().signal;
const user = (tenant: string, session = `${tenant}-1`): SlotUser => ({ tenant, session });

/** Enters `times` times. `running` holds the functions that release the slots, in order. */
function enterMany(slots: CallSlots, who: SlotUser, times: number): { running: (() => void)[] } {
  const entered = { running: [] as (() => void)[] };
  for (let n = 0; n < times; n++)
    void slots.enter(who, never).then((leave) => typeof leave === 'function' && entered.running.push(leave));
  return entered;
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('the slots of tool calls', () => {
  it('[Q-16] gives one session at most half of the slots, so that others always run', async () => {
    const slots = new CallSlots(() => 32);
    const greedy = enterMany(slots, user('a', 's1'), 100);
    const modest = enterMany(slots, user('a', 's2'), 3);
    await settle();
    expect([greedy.running.length, modest.running.length]).toEqual([16, 3]);
  });

  it('[Q-16] gives each tenant its share although another one has used all slots', async () => {
    const slots = new CallSlots(() => 32);
    const greedy = ['s1', 's2', 's3', 's4'].map((session) => enterMany(slots, user('a', session), 20));
    const modest = enterMany(slots, user('b'), 10);
    await settle();
    expect(greedy.reduce((sum, { running }) => sum + running.length, 0)).toBe(32);
    expect(modest.running).toHaveLength(4);
  });

  it('never runs more than twice the limit, for any number of tenants', async () => {
    const slots = new CallSlots(() => 4);
    const all = Array.from({ length: 50 }, (_, n) => enterMany(slots, user(`t${n}`), 1));
    await settle();
    expect(all.reduce((sum, { running }) => sum + running.length, 0)).toBe(8);
  });

  it('gives a free slot to the waiter with the fewest running calls, in order among equals', async () => {
    const slots = new CallSlots(() => 4);
    const first = enterMany(slots, user('a', 's1'), 3);
    const second = enterMany(slots, user('a', 's2'), 2);
    const third = enterMany(slots, user('a', 's3'), 1);
    await settle();
    expect([first, second, third].map(({ running }) => running.length)).toEqual([2, 2, 0]);
    second.running[0]?.();
    await settle();
    expect([first, second, third].map(({ running }) => running.length)).toEqual([2, 2, 1]);
    third.running[0]?.();
    await settle();
    expect(first.running).toHaveLength(2);
    first.running[0]?.();
    await settle();
    expect(first.running).toHaveLength(3);
  });

  it('keeps nothing of a call that is stopped while it waits', async () => {
    const slots = new CallSlots(() => 1);
    const running = enterMany(slots, user('a', 's1'), 1);
    await settle();
    const stop = new AbortController();
    const waiting = slots.enter(user('a', 's2'), stop.signal);
    stop.abort();
    expect(await waiting).toBe('aborted');
    running.running[0]?.();
    expect(await slots.enter(user('a', 's3'), never)).toBeTypeOf('function');
    expect(await slots.enter(user('a', 's4'), AbortSignal.abort())).toBe('aborted');
  });

  it('[Q-16] lets at most 256 calls of a session wait', async () => {
    const slots = new CallSlots(() => 2);
    enterMany(slots, user('a'), 257);
    await settle();
    expect(await slots.enter(user('a'), never)).toBe('full');
  });

  it('lets at most 4096 calls of all sessions wait', async () => {
    const slots = new CallSlots(() => 1);
    for (let n = 0; n <= 16; n++) enterMany(slots, user('a', `s${n}`), n === 0 ? 1 : 256);
    await settle();
    expect(await slots.enter(user('a', 'another'), never)).toBe('full');
  });

  it('applies a limit that is raised while calls wait', async () => {
    let limit = 1;
    const slots = new CallSlots(() => limit);
    const calls = ['s1', 's2', 's3'].map((session) => enterMany(slots, user('a', session), 1));
    await settle();
    limit = 10;
    calls[0]?.running[0]?.();
    await settle();
    expect(calls.map(({ running }) => running.length)).toEqual([1, 1, 1]);
  });
});
