import { expect } from 'vitest';
import { DAY_MS } from '../../core/time/clock.js';
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
    sentAt: n,
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
  'keeps which chats have moved, for the holder of the lease': async (bench) => {
    const [old, current] = await takeOver(bench);
    expect(await bench.store.moveChat(old, { from: 'lost', to: 'found' })).toBe(false);
    expect(await bench.store.moveChat(current, { from: 'b', to: 'c' })).toBe(true);
    expect(await bench.store.moveChat(current, { from: 'a', to: 'b' })).toBe(true);
    expect(await bench.store.moveChat(current, { from: 'a', to: 'x' })).toBe(true);
    expect(await bench.store.listMovedChats(CHANNEL)).toEqual([
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
    ]);
    expect(await bench.store.listMovedChats('telegraph')).toEqual([]);
  },

  'keeps the IDs of people, for the holder of the lease': async (bench) => {
    const [old, current] = await takeOver(bench);
    expect(await bench.store.joinSender(old, { alias: 'a', sender: 'b' })).toBe(false);
    expect(await bench.store.joinSender(current, { alias: 'a', sender: 'b' })).toBe(true);
    expect(await bench.store.joinSender(current, { alias: 'a', sender: 'c' })).toBe(true);
    await bench.under.crash();
    expect(await bench.store.listSenderAliases(CHANNEL)).toEqual([{ alias: 'a', sender: 'c' }]);
    expect(await bench.store.listSenderAliases('telegraph')).toEqual([]);
  },

  "finds what was sent by the platform's ID, and makes it a dead letter": async (bench) => {
    const [old, current] = await takeOver(bench);
    await bench.store.writePart(current, aPart({ state: 'sent', ref: 'out-1' }));
    expect(await bench.store.findReplyTo(CHANNEL, 'ann', 'out-1')).toBe('m_1');
    expect(await bench.store.findReplyTo(CHANNEL, 'bob', 'out-1')).toBeUndefined();
    expect(await bench.store.findReplyTo('telegraph', 'ann', 'out-1')).toBeUndefined();
    expect(await bench.store.failPart(old, 'out-1', 'late')).toBe('fenced');
    expect(await bench.store.failPart(current, 'out-2', 'late')).toBe('unknown');
    expect(await bench.store.failPart(current, 'out-1', 'late')).toBe('failed');
    expect(await bench.store.failPart(current, 'out-1', 'later')).toBe('unknown');
    expect(await bench.store.listDeadLetters({ limit: 9 })).toMatchObject([{ ref: 'out-1', reason: 'late' }]);
  },

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
    expect(await bench.store.settleInbox(old, ['pigeon:ann:1'], 'm_1')).toBe(false);
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
    expect(await bench.store.settleInbox(lease, ['pigeon:ann:1'], 'm_1')).toBe(true);
    expect(await bench.store.settleInbox(lease, ['pigeon:ann:2'])).toBe(true);
    await bench.store.addInbox(lease, [anEntry(4), anEntry(5)]);
    expect(await bench.store.settleInbox(lease, ['pigeon:ann:4', 'pigeon:ann:5'], 'm_4')).toBe(true);
    await bench.under.crash();
    expect(await bench.store.listInbox(CHANNEL)).toEqual([]);
    expect(await bench.store.findPlace(CHANNEL, 'm_4', 'unknown')).toBe(anEntry(4).place);
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

  'sweeps places and sent parts that no redelivery needs, and dead ones after the time of approvals': async (bench) => {
    const lease = await take(bench);
    const createdAt = bench.under.now();
    await bench.store.addInbox(lease, [anEntry(1), anEntry(2)]);
    await bench.store.settleInbox(lease, ['pigeon:ann:1'], 'm_1');
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
    expect(await bench.store.listChats(CHANNEL, 100)).toEqual([]);
    const approvalsBefore = createdAt + 1;
    while (await bench.store.sweep({ framesBefore: 0, dedupeBefore: 0, sessionsBefore: undefined, approvalsBefore }));
    expect((await bench.store.listParts(CHANNEL, 'm_1')).map(({ state }) => state)).toEqual(['waiting']);
  },

  'stores a note once, and lists those that the platform has not confirmed': async (bench) => {
    const lease = await take(bench);
    const note = aPart({ replyTo: 'note', state: 'waiting', content: '[]' });
    expect(await bench.store.addNote(lease, note)).toBe('added');
    await bench.store.writePart(lease, { ...note, state: 'sending' });
    expect(await bench.store.addNote(lease, note)).toBe('known');
    await bench.store.writePart(lease, aPart());
    await bench.under.crash();
    expect(await bench.store.listNotes(CHANNEL)).toEqual([{ ...note, state: 'sending' }]);
    await bench.store.writePart(await take(bench), { ...note, state: 'sent' });
    expect(await bench.store.listNotes(CHANNEL)).toEqual([]);
  },

  'lists the chats that a platform makes wait, each until the last of its times': async (bench) => {
    const lease = await take(bench);
    const now = bench.under.now();
    const at = (number: number, chat: string, notBefore: number) =>
      bench.store.writePart(lease, aPart({ number, place: JSON.stringify({ chat }), state: 'dead', notBefore }));
    await at(0, 'ann', now + 5_000);
    await at(1, 'ann', now + 9_000);
    await at(2, 'bob', now - 1);
    await at(3, 'eve', 0);
    await bench.under.crash();
    expect(await bench.store.listHeldChats(CHANNEL)).toEqual([{ place: '{"chat":"ann"}', until: now + 9_000 }]);
    expect(await bench.store.listHeldChats('telegraph')).toEqual([]);
  },

  'remembers a chat for 90 days, and the IDs of updates that were one message for as long as redeliveries': async (
    bench,
  ) => {
    const lease = await take(bench);
    const sentAt = bench.under.now();
    await bench.store.addInbox(lease, [anEntry(1, { sentAt }), anEntry(2, { sentAt })]);
    await bench.store.settleInbox(lease, ['pigeon:ann:1', 'pigeon:ann:2'], 'm_1');
    const remembered = async (dedupeBefore: number) => {
      while (await bench.store.sweep({ framesBefore: 0, dedupeBefore, sessionsBefore: undefined }));
      const chats = await bench.store.listChats(CHANNEL, 9);
      return [chats.length, (await bench.store.listJoined(CHANNEL, 9)).toSorted()];
    };
    await bench.under.crash();
    expect(await remembered(sentAt)).toEqual([1, ['pigeon:ann:1', 'pigeon:ann:2']]);
    expect(await bench.store.listJoined(CHANNEL, 1)).toHaveLength(1);
    expect(await remembered(sentAt + 83 * DAY_MS)).toEqual([1, []]);
    expect(await remembered(sentAt + 83 * DAY_MS + 1)).toEqual([0, []]);
  },

  'lists the threads of a chat that were used last': async (bench) => {
    const lease = await take(bench);
    const inThread = (n: number) => ({ ...anEntry(n), place: JSON.stringify({ chat: 'ann', thread: `t${n}` }) });
    await bench.store.addInbox(
      lease,
      Array.from({ length: 30 }, (_, n) => inThread(n + 1)),
    );
    const times = (await bench.store.listChats(CHANNEL, 1)).map(({ sentAt }) => sentAt);
    expect(times.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 11));
  },

  'puts out a sender who was let in or waits, with a row in the audit trail': async (bench) => {
    const lease = await take(bench);
    const ask = (sender: string) => {
      const now = bench.under.now();
      const note = aPart({ replyTo: `pairing:${sender}`, state: 'waiting', content: '[]' });
      return bench.store.askPairing(lease, { sender, code: sender, askedAt: now, expiresAt: now + 1_000 }, note, 9);
    };
    await ask('eve');
    await ask('bob');
    await bench.store.approvePairing(CHANNEL, 'eve', 'ann');
    expect(await bench.store.listAdmitted(CHANNEL, 9)).toEqual([{ sender: 'eve', approvedAt: bench.under.now() }]);
    for (const sender of ['eve', 'bob']) expect(await bench.store.revokePairing(CHANNEL, sender, 'ann')).toBe(true);
    expect(await bench.store.revokePairing(CHANNEL, 'eve', 'ann')).toBe(false);
    await bench.under.crash();
    expect([await bench.store.listAdmitted(CHANNEL, 9), await bench.store.listPairings(CHANNEL)]).toEqual([[], []]);
    const [row] = await bench.store.listAudit({ order: 'newest', limit: 1 });
    expect(row).toMatchObject({
      actor: 'ann',
      action: 'channel.unpair',
      target: CHANNEL,
      before: 'true',
      person: { tenant: 'default', channel: CHANNEL, sender: 'bob' },
    });
  },

  'asks once for a sender, and lets in the one whose code is approved, with a row in the audit trail': async (
    bench,
  ) => {
    const lease = await take(bench);
    const askedAt = bench.under.now();
    const ask = (sender: string, code: string) => {
      const note = aPart({ replyTo: `pairing:${code}`, state: 'waiting', content: '[]' });
      const expiresAt = bench.under.now() + 1_000;
      return bench.store.askPairing(lease, { sender, code, askedAt: bench.under.now(), expiresAt }, note, 2);
    };
    expect(await ask('eve', 'AAAA')).toBe('asked');
    expect(await ask('eve', 'BBBB')).toBe('waiting');
    expect(await ask('bob', 'CCCC')).toBe('asked');
    expect(await ask('cleo', 'DDDD')).toBe('full');
    expect((await bench.store.listNotes(CHANNEL)).map(({ replyTo }) => replyTo)).toEqual([
      'pairing:AAAA',
      'pairing:CCCC',
    ]);
    expect(await bench.store.listPairings(CHANNEL)).toMatchObject([{ sender: 'bob' }, { sender: 'eve', askedAt }]);
    expect(await bench.store.approvePairing(CHANNEL, 'BBBB', 'ann')).toBeUndefined();
    expect(await bench.store.approvePairing('telegraph', 'AAAA', 'ann')).toBeUndefined();
    expect(await bench.store.approvePairing(CHANNEL, 'AAAA', 'ann')).toMatchObject({ sender: 'eve' });
    expect(await bench.store.approvePairing(CHANNEL, 'AAAA', 'ann')).toBeUndefined();
    expect(await ask('eve', 'EEEE')).toBe('approved');
    expect((await bench.store.listAdmitted(CHANNEL, 9)).map(({ sender }) => sender)).toEqual(['eve']);
    expect(await bench.store.listAdmitted(CHANNEL, 0)).toEqual([]);
    const [row] = await bench.store.listAudit({ order: 'newest', limit: 1 });
    expect(row).toMatchObject({
      actor: 'ann',
      action: 'channel.pair',
      target: CHANNEL,
      after: 'true',
      person: { tenant: 'default', channel: CHANNEL, sender: 'eve' },
    });
    await bench.under.passTime(1_000);
    expect(await bench.store.listPairings(CHANNEL)).toEqual([]);
    expect(await bench.store.approvePairing(CHANNEL, 'CCCC', 'ann')).toBeUndefined();
    expect(await ask('bob', 'FFFF')).toBe('asked');
    expect(await ask('eve', 'GGGG')).toBe('approved');
  },

  'lists dead letters newest first, sends them again as notes, and deletes them': async (bench) => {
    const lease = await take(bench);
    const dead = (replyTo: string) =>
      aPart({ replyTo, state: 'dead', ref: 'out-1', content: '[1]', reason: 'blocked', notBefore: 9 });
    for (const replyTo of ['m_1', 'm_2', 'm_3']) await bench.store.writePart(lease, dead(replyTo));
    await bench.store.writePart(lease, aPart({ replyTo: 'm_4' }));
    const list = (changes: object = {}) => bench.store.listDeadLetters({ limit: 10, ...changes });
    const [third, second, first] = await list();
    expect([third, second, first].map((letter) => letter?.replyTo)).toEqual(['m_3', 'm_2', 'm_1']);
    expect(first).toEqual({ ...dead('m_1'), id: first?.id, channel: CHANNEL });
    expect(await list({ limit: 1, before: third?.id })).toEqual([second]);
    expect(await list({ channel: 'telegraph' })).toEqual([]);
    expect(await bench.store.countDeadLetters()).toEqual({ [CHANNEL]: 3 });
    const revived = await bench.store.retryDeadLetter(first?.id ?? 0, 'ann');
    expect(revived).toMatchObject({ replyTo: 'm_1', state: 'waiting', notBefore: 0, createdAt: bench.under.now() });
    expect(revived?.ref).toBeUndefined();
    expect((await bench.store.listNotes(CHANNEL)).map(({ replyTo }) => replyTo)).toEqual(['m_1']);
    expect(await bench.store.retryDeadLetter(first?.id ?? 0, 'ann')).toBeUndefined();
    expect(await bench.store.discardDeadLetter(second?.id ?? 0, 'ann')).toBe(true);
    expect(await bench.store.discardDeadLetter(second?.id ?? 0, 'ann')).toBe(false);
    expect(await bench.store.countDeadLetters()).toEqual({ [CHANNEL]: 1 });
    const audit = await bench.store.listAudit({ order: 'newest', limit: 2 });
    expect(audit.map(({ action, target }) => [action, target])).toEqual([
      ['dead_letter.discard', String(second?.id)],
      ['dead_letter.retry', String(first?.id)],
    ]);
  },

  'knows the newest message of each chat, by the clock of the platform': async (bench) => {
    const lease = await take(bench);
    await bench.store.addInbox(lease, [anEntry(2), anEntry(1), anEntry(3, { chat: 'bob' })]);
    await bench.store.settleInbox(lease, ['pigeon:ann:2'], 'm_2');
    await bench.under.crash();
    const ann = { chat: 'ann', place: anEntry(2).place, messageId: 'pigeon:ann:2', sentAt: 2, missingSince: 2 };
    const bob = { chat: 'bob', place: anEntry(3).place, messageId: 'pigeon:ann:3', sentAt: 3, missingSince: 3 };
    expect(await bench.store.listChats(CHANNEL, 100)).toEqual([ann, bob]);
    expect(await bench.store.listChats(CHANNEL, 1)).toEqual([bob]);
    expect(await bench.store.listChats('telegraph', 100)).toEqual([]);
  },

  'keeps the gap of a chat where it began until it is closed, for the holder of the lease': async (bench) => {
    const [old, current] = await takeOver(bench);
    const gaps = async () =>
      (await bench.store.listChats(CHANNEL, 100)).map(({ chat, missingSince }) => [chat, missingSince]);
    const inThread = { ...anEntry(2), place: JSON.stringify({ chat: 'ann', thread: 'a' }) };
    await bench.store.addInbox(current, [anEntry(1), inThread, anEntry(3, { chat: 'bob' })]);
    expect([await bench.store.openGaps(old), await bench.store.openGaps(current)]).toEqual([false, true]);
    await bench.store.addInbox(current, [anEntry(5), anEntry(6, { chat: 'bob' }), anEntry(4, { chat: 'cleo' })]);
    await bench.store.addInbox(current, [anEntry(9, { chat: 'cleo', isMessage: false })]);
    expect([await bench.store.closeGap(old, 'ann'), await bench.store.closeGap(current, 'bob')]).toEqual([false, true]);
    await bench.under.crash();
    expect(await gaps()).toEqual([
      ['ann', 2],
      ['ann', 2],
      ['bob', 6],
      ['cleo', 4],
    ]);
    await bench.store.openGaps(await take(bench));
    await bench.store.addInbox(await take(bench), [anEntry(10, { chat: 'bob' })]);
    expect((await gaps()).slice(1)).toEqual([
      ['ann', 2],
      ['bob', 6],
      ['cleo', 4],
    ]);
  },

  'lists threads apart from their chat, and notes in which the agent takes part': async (bench) => {
    const lease = await take(bench);
    const inThread = (n: number, thread: string) => ({ ...anEntry(n), place: JSON.stringify({ chat: 'ann', thread }) });
    await bench.store.addInbox(lease, [anEntry(1), inThread(2, 'a'), inThread(3, 'b'), inThread(4, 'b')]);
    expect((await bench.store.listChats(CHANNEL, 100)).map(({ sentAt }) => sentAt)).toEqual([1, 2, 4]);
    await bench.store.settleInbox(lease, [inThread(2, 'a').messageId], 'm_2');
    await bench.store.settleInbox(lease, [inThread(3, 'b').messageId], 'm_3', true);
    await bench.under.crash();
    const threads = ['a', 'b', 'c'].map((thread) => bench.store.takesPart(CHANNEL, 'ann', thread));
    expect(await Promise.all(threads)).toEqual([false, true, false]);
    expect(await bench.store.takesPart(CHANNEL, 'bob', 'b')).toBe(false);
  },
};
