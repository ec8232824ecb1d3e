import { expect } from 'vitest';
import type { AccountLease, InboxEntry, OutboxPart } from '../../core/store/index.js';
import type { Contract, StoreBench } from './bench.js';

const CHANNEL = 'pigeon';
const LEASE_MS = 10_000;

async function take(bench: StoreBench, owner = 'replica-1'): Promise<AccountLease> {
  const lease = await bench.store.takeAccount(CHANNEL, owner, LEASE_MS);
  if (!lease) throw new Error('the account could not be taken');
  return lease;
}

function anEntry(n: number, changes: Partial<InboxEntry> = {}): InboxEntry {
  return {
    messageId: `pigeon:ann:${n}`,
    chat: 'ann',
    place: `{"chat":"ann","replyTo":"${n}"}`,
    update: `{"number":${n}}`,
    receivedAt: n,
    ...changes,
  };
}

function aPart(changes: Partial<OutboxPart> = {}): OutboxPart {
  return {
    replyTo: 'm_1',
    number: 0,
    state: 'sending',
    place: '{"chat":"ann"}',
    doubts: 0,
    notBefore: 0,
    deadline: 7,
    createdAt: 1_800_000_000_000,
    ...changes,
  };
}

/** Two leases of the account, of which the second has fenced the first. */
async function takeOver(bench: StoreBench): Promise<readonly [old: AccountLease, current: AccountLease]> {
  const old = await take(bench);
  await bench.under.passTime(LEASE_MS);
  return [old, await take(bench, 'replica-2')];
}

export const channelsContract: Contract = {
  'gives an account to one replica at a time, and to another once the lease is over': async (bench) => {
    const first = await take(bench);
    expect(await bench.store.takeAccount(CHANNEL, 'replica-2', LEASE_MS)).toBeUndefined();
    await bench.under.passTime(LEASE_MS - 1);
    expect(await take(bench)).toEqual(first);
    await bench.under.passTime(LEASE_MS - 1);
    expect(await bench.store.takeAccount(CHANNEL, 'replica-2', LEASE_MS)).toBeUndefined();
    await bench.under.passTime(1);
    expect((await take(bench, 'replica-2')).epoch).toBeGreaterThan(first.epoch);
    expect(await bench.store.takeAccount(CHANNEL, 'replica-1', LEASE_MS)).toBeUndefined();
    expect(await bench.store.takeAccount('telegraph', 'replica-1', LEASE_MS)).toBeDefined();
  },

  'gives a released account to another replica at once, and ignores the release of an older lease': async (bench) => {
    const [old, current] = await takeOver(bench);
    await bench.store.releaseAccount(old);
    expect(await bench.store.takeAccount(CHANNEL, 'replica-1', LEASE_MS)).toBeUndefined();
    await bench.store.releaseAccount(current);
    expect((await take(bench)).epoch).toBeGreaterThan(current.epoch);
  },

  'a replica that takes its own account again after the lease was over has a higher epoch': async (bench) => {
    const first = await take(bench);
    await bench.under.passTime(LEASE_MS);
    const second = await take(bench);
    expect(second.epoch).toBeGreaterThan(first.epoch);
    expect(await bench.store.addInbox(first, [anEntry(1)])).toBe(false);
  },

  'writes nothing under an older lease': async (bench) => {
    const [old, current] = await takeOver(bench);
    await bench.store.addInbox(current, [anEntry(1)]);
    await bench.store.writePart(current, aPart());
    expect(await bench.store.addInbox(old, [anEntry(2)])).toBe(false);
    expect(await bench.store.keepReading(old, 'pigeon:ann:1', '{}')).toBe(false);
    expect(await bench.store.settleInbox(old, 'pigeon:ann:1', 'm_1')).toBe(false);
    expect(await bench.store.writePart(old, aPart({ state: 'sent' }))).toBe(false);
    expect(await bench.store.listInbox(CHANNEL)).toEqual([anEntry(1)]);
    expect(await bench.store.listParts(CHANNEL, 'm_1')).toEqual([aPart()]);
  },

  'keeps what a platform handed over across a crash, in order, a redelivery once': async (bench) => {
    const lease = await take(bench);
    expect(await bench.store.addInbox(lease, [anEntry(3), anEntry(1)])).toBe(true);
    expect(await bench.store.addInbox(lease, [anEntry(1, { update: '{"edited":true}' }), anEntry(2)])).toBe(true);
    await bench.under.crash();
    expect(await bench.store.listInbox(CHANNEL)).toEqual([anEntry(3), anEntry(1), anEntry(2)]);
    expect(await bench.store.listInbox('telegraph')).toEqual([]);
  },

  'keeps a reading with its entry': async (bench) => {
    const lease = await take(bench);
    await bench.store.addInbox(lease, [anEntry(1), anEntry(2)]);
    expect(await bench.store.keepReading(lease, 'pigeon:ann:1', '{"kind":"ignored"}')).toBe(true);
    await bench.under.crash();
    expect(await bench.store.listInbox(CHANNEL)).toEqual([anEntry(1, { reading: '{"kind":"ignored"}' }), anEntry(2)]);
  },

  'finds the place of a reply by the ID of the message while it waits, and by its ref afterwards': async (bench) => {
    const lease = await take(bench);
    await bench.store.addInbox(lease, [anEntry(1), anEntry(2)]);
    const { place } = anEntry(1);
    expect(await bench.store.findPlace(CHANNEL, 'm_1', 'pigeon:ann:1')).toBe(place);
    expect(await bench.store.settleInbox(lease, 'pigeon:ann:1', 'm_1')).toBe(true);
    expect(await bench.store.settleInbox(lease, 'pigeon:ann:2')).toBe(true);
    await bench.under.crash();
    expect(await bench.store.listInbox(CHANNEL)).toEqual([]);
    expect(await bench.store.findPlace(CHANNEL, 'm_1', 'unknown')).toBe(place);
    expect(await bench.store.findPlace(CHANNEL, 'm_2', 'pigeon:ann:2')).toBeUndefined();
    expect(await bench.store.findPlace('telegraph', 'm_1', 'pigeon:ann:1')).toBeUndefined();
  },

  'replaces the state of a part, and lists the parts of a reply by number': async (bench) => {
    const lease = await take(bench);
    await bench.store.writePart(lease, aPart({ number: 1 }));
    await bench.store.writePart(lease, aPart({ number: 0 }));
    await bench.store.writePart(lease, aPart({ replyTo: 'm_2' }));
    const dead = aPart({
      number: 1,
      state: 'dead',
      ref: 'out-1',
      content: '[]',
      reason: 'blocked',
      doubts: 2,
      notBefore: 9,
    });
    expect(await bench.store.writePart(lease, dead)).toBe(true);
    await bench.under.crash();
    expect(await bench.store.listParts(CHANNEL, 'm_1')).toEqual([aPart(), dead]);
    expect(await bench.store.listParts('telegraph', 'm_1')).toEqual([]);
  },

  'sweeps places and sent parts that no redelivery needs, and keeps dead ones': async (bench) => {
    const lease = await take(bench);
    const createdAt = bench.under.now();
    await bench.store.addInbox(lease, [anEntry(1), anEntry(2)]);
    await bench.store.settleInbox(lease, 'pigeon:ann:1', 'm_1');
    for (const [number, state] of (['sent', 'dead', 'waiting'] as const).entries())
      await bench.store.writePart(lease, aPart({ number, state, createdAt }));
    const sweep = async (dedupeBefore: number) => {
      while (await bench.store.sweep({ framesBefore: 0, dedupeBefore, sessionsBefore: undefined }));
    };
    await sweep(createdAt);
    expect(await bench.store.listParts(CHANNEL, 'm_1')).toHaveLength(3);
    await sweep(createdAt + 1);
    expect((await bench.store.listParts(CHANNEL, 'm_1')).map(({ state }) => state)).toEqual(['dead', 'waiting']);
    expect(await bench.store.findPlace(CHANNEL, 'm_1', 'unknown')).toBeUndefined();
    expect(await bench.store.listInbox(CHANNEL)).toHaveLength(1);
  },
};
