import { afterEach, describe, expect, it, vi } from 'vitest';
import { CoreHarness } from '../../testing/core-harness.js';
import { aClient, aMessage, aSession } from '../../testing/index.js';
import { DAY_MS } from '../time/clock.js';

let core: CoreHarness;
afterEach(() => core.stop());

async function start(quotas: object, other: object = {}): Promise<void> {
  core = await new CoreHarness({
    settings: { tenants: { default: { quotas } }, ...other },
  }).start();
}

const used = (quota: string) => core.quotas.list('default').find((state) => state.quota === quota)?.used;

describe('a quota of messages', () => {
  it('[TN-08] refuses new messages when it is used up, takes repeats, and names when it begins again', async () => {
    await start({ messages_per_day: 2 });
    const [one, two] = [aMessage(), aMessage()];
    await core.queue.enqueue(one);
    await core.queue.enqueue(two);
    const resets_at = (Math.floor(core.clock.now() / DAY_MS) + 1) * DAY_MS;
    await expect(core.queue.enqueue(aMessage())).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      details: { quota: 'messages_per_day', resets_at },
      retryable: false,
    });
    expect(await core.queue.enqueue(one)).toMatchObject({ kind: 'duplicate' });
    expect(used('messages_per_day')).toBe(2);
    const foreign = aMessage({ client: aClient({ tenant: 'acme' }), session: aSession('acme', { tenant: 'acme' }) });
    expect(await core.queue.enqueue(foreign)).toMatchObject({ kind: 'accepted' });
    await core.clock.advanceAsync(DAY_MS);
    expect(await core.queue.enqueue(aMessage())).toMatchObject({ kind: 'accepted' });
  });

  it('[TN-08] does not count what is not queued, and is passed by no burst', async () => {
    await start({ messages_per_day: 3 });
    const one = aMessage();
    await core.queue.enqueue(one);
    await core.queue.enqueue(one);
    await core.queue.enqueue(aMessage({ isAddressed: false }));
    expect(used('messages_per_day')).toBe(1);
    const burst = await Promise.allSettled(Array.from({ length: 10 }, () => core.queue.enqueue(aMessage())));
    expect(burst.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  });

  it('[TN-06] is apart from the number of messages that wait, for which there is room again', async () => {
    await start({ queued: 1 }, { 'agent.concurrency': 1 });
    await core.queue.enqueue(aMessage());
    await expect(core.queue.enqueue(aMessage({ session: aSession('bob') }))).rejects.toMatchObject({
      code: 'QUEUE_FULL',
      retryable: true,
    });
  });
});

describe('a quota of tokens', () => {
  const note = (tokens: number, cost = 0) =>
    core.quotas.note({
      ...{ tenant: 'default', channel: 'test', sender: 'alice', agent: 'main', model: 'a/b', at: core.clock.now() },
      ...{ inputTokens: tokens, cachedTokens: 0, outputTokens: 0, cost },
    });
  const hold = (messageRef: string, tokens: number, isAsked = false) =>
    core.quotas.hold('default', { messageRef, isAsked }, 'a/b', { input: 0, output: tokens });
  const roomsOf = (...running: string[]) => [...(core.quotas.readRooms(() => running) ?? [])];

  it('[TN-09] holds back what running turns may use, and gives it back at their end', async () => {
    await start({ tokens_per_day: 1_000 });
    expect([hold('m_1', 600), hold('m_2', 600), hold('m_3', 1)]).toEqual([true, true, false]);
    // It waits for no other turn: the one that asks goes on when it is done.
    expect(hold('m_4', 1, true)).toBe(true);
    core.quotas.release('default', 'm_4');
    // What a turn held before does not count, and one that must wait holds nothing.
    expect([hold('m_1', 1_000), hold('m_2', 1), hold('m_1', 1)]).toEqual([true, false, true]);
    const released = core.quotas.whenReleased('default', new AbortController().signal);
    core.quotas.release('default', 'm_1');
    await released;
    expect(hold('m_3', 1)).toBe(true);
    note(1_000);
    expect(() => hold('m_1', 1)).toThrow('tokens_per_day is used up until');
    await expect(core.queue.enqueue(aMessage())).rejects.toMatchObject({ details: { quota: 'tokens_per_day' } });
  });

  it('[TN-09] lets as many turns be taken up as find something left, and all of them when it is used up', async () => {
    await start({ tokens_per_day: 1_000 });
    expect(roomsOf('default')).toEqual([]);
    hold('m_1', 300);
    expect(roomsOf('default')).toEqual([['default', 3]]);
    expect(roomsOf('default', 'default', 'acme')).toEqual([['default', 2]]);
    hold('m_2', 700);
    expect(roomsOf('default', 'default')).toEqual([['default', 0]]);
    note(1_000);
    expect(roomsOf('default', 'default')).toEqual([]);
  });

  it('[TN-09] waits for a turn no longer than its signal says', async () => {
    await start({ tokens_per_day: 1 });
    hold('m_1', 1);
    const stop = new AbortController();
    const waited = core.quotas.whenReleased('default', stop.signal);
    expect(roomsOf('default')).toEqual([['default', 0]]);
    stop.abort();
    await waited;
  });

  it('[TN-09] counts money by the prices of models', async () => {
    await start({ cost_per_day: 1 }, { prices: { 'a/b': { input: 10, cached_input: 1, output: 20 } } });
    expect(core.quotas.price('a/b', { inputTokens: 100_000, cachedTokens: 50_000, outputTokens: 10_000 })).toBe(0.75);
    expect(core.quotas.price('a/free', { inputTokens: 1, cachedTokens: 0, outputTokens: 1 })).toBe(0);
    expect([hold('m_1', 50_000), hold('m_2', 1)]).toEqual([true, false]);
    core.quotas.release('default', 'm_1');
    note(1, 1);
    expect(() => hold('m_2', 1)).toThrow('cost_per_day is used up until');
  });

  it('[TN-09] reports once a day that it is used up', async () => {
    await start({ tokens_per_day: 100 });
    const reported: string[] = [];
    core.quotas.onUsedUp(({ tenant, quota }) => reported.push(`${tenant} ${quota}`));
    note(90);
    note(20);
    note(20);
    expect(reported).toEqual(['default tokens_per_day']);
  });
});

it('[TN-14] a gateway without quotas asks the store for nothing more', async () => {
  core = await new CoreHarness().start();
  const reads = (['sumUsage', 'countQueuedSince'] as const).map((name) => vi.spyOn(core.store, name));
  const claim = vi.spyOn(core.store, 'claim');
  const accept = vi.spyOn(core.store, 'acceptThen');
  await core.queue.enqueue(aMessage());
  expect(accept.mock.calls.map(([, limits]) => limits.perTenant)).toEqual([undefined]);
  await expect.poll(() => claim.mock.calls.length).toBeGreaterThan(0);
  expect(claim.mock.calls.every(([request]) => request.rooms === undefined)).toBe(true);
  for (const read of reads) expect(read).not.toHaveBeenCalled();
});
