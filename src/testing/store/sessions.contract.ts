import { expect } from 'vitest';
import { aMessage, aPayload, aSession, GENEROUS_LIMITS } from '../factories.js';
import type { Contract } from './bench.js';

export const sessionContract: Contract = {
  'creates a session with its first message': async (bench) => {
    const session = aSession('team', { mode: 'group', keyParts: ['team', 'thread'] });
    await bench.accept({ session, receivedAt: bench.under.now() });
    expect(await bench.store.findSession('s_team')).toEqual({
      ...session,
      hasSeveralParticipants: false,
      createdAt: bench.under.now(),
      lastActive: bench.under.now(),
      memoryRefs: [],
      toolPermissions: [],
      explicitActivation: false,
      headSeq: 0,
    });
    expect(await bench.store.findSession('s_unknown')).toBeUndefined();
  },

  'makes every sender a participant, once': async (bench) => {
    for (const sender of ['alice', 'bob', 'alice']) await bench.accept({ payload: aPayload({ sender }) });
    expect([...(await bench.store.listParticipants('s_alice'))].sort()).toEqual(['alice', 'bob']);
    expect(await bench.store.findSession('s_alice')).toMatchObject({ hasSeveralParticipants: true });
    expect(await bench.store.isParticipant('s_alice', 'bob')).toBe(true);
    expect(await bench.store.isParticipant('s_alice', 'carol')).toBe(false);
    expect(await bench.store.isParticipant('s_unknown', 'bob')).toBe(false);
    expect(await bench.store.listParticipants('s_unknown')).toEqual([]);
  },

  'knows which principal sent the first message': async (bench) => {
    for (const principal of ['alice', 'bob'])
      await bench.accept({ client: { tenant: 'default', principal, clientId: 'page' }, messageId: principal });
    expect(await bench.store.findFounder('s_alice')).toBe('alice');
    expect(await bench.store.findFounder('s_unknown')).toBeUndefined();
  },

  'knows when a session was last used, and the head of its log': async (bench) => {
    const receivedAt = bench.under.now() + 5_000;
    await bench.finish(await bench.run());
    await bench.accept({ receivedAt });
    expect(await bench.store.findSession('s_alice')).toMatchObject({ lastActive: receivedAt, headSeq: 1 });
  },

  'changes the given fields and nothing else': async (bench) => {
    await bench.accept();
    const before = await bench.store.findSession('s_alice');
    const change = { mode: 'queue', explicitActivation: true, toolPermissions: ['fs'], memoryRefs: ['m1'] } as const;
    expect(await bench.store.updateSession('s_alice', change)).toEqual({ ...before, ...change });
    const again = { ...before, ...change, explicitActivation: false };
    expect(await bench.store.updateSession('s_alice', { explicitActivation: false })).toEqual(again);
    expect(await bench.store.findSession('s_alice')).toEqual(again);
    expect(await bench.store.updateSession('s_alice', { model: 'a/b' })).toEqual({ ...again, model: 'a/b' });
    expect(await bench.store.updateSession('s_alice', { memoryRefs: [] })).toMatchObject({ model: 'a/b' });
    expect(await bench.store.updateSession('s_alice', { model: null, memoryRefs: ['m1'] })).toEqual(again);
    expect(await bench.store.updateSession('s_unknown', change)).toBeUndefined();
  },

  'accepts messages in the current mode of a session': async (bench) => {
    await bench.accept();
    await bench.store.updateSession('s_alice', { mode: 'queue' });
    expect(await bench.accept()).toMatchObject({ mode: 'queue' });
  },

  '[Z-05] keeps the agent of a session, and recognises a repeat whose chat another agent answers by now': async (
    bench,
  ) => {
    const message = aMessage();
    const { messageRef } = await bench.accept(message);
    const moved = { ...message, session: aSession('alice_of_ops', { agent: 'ops', keyParts: ['alice'] }) };
    expect(await bench.store.accept(moved, GENEROUS_LIMITS)).toMatchObject({
      kind: 'duplicate',
      messageRef,
      sessionId: 's_alice',
      agent: 'main',
    });
    expect(await bench.store.findSession('s_alice_of_ops')).toBeUndefined();
    expect(await bench.accept({ session: moved.session })).toMatchObject({ agent: 'ops', sessionId: 's_alice_of_ops' });
    expect((await bench.store.findSession('s_alice_of_ops'))?.agent).toBe('ops');
    const elsewhere = { ...message, session: aSession('bob'), namesSession: true };
    expect(await bench.store.accept(elsewhere, GENEROUS_LIMITS)).toMatchObject({ kind: 'conflict' });
  },

  '[S-11] pages through the history backwards, newest last': async (bench) => {
    for (const messageId of ['1', '2', '3', '4', '5']) await bench.accept({ messageId, isAddressed: false });
    await bench.accept({ session: aSession('bob') });
    const ids = (page: { messages: readonly { messageId: string }[] }) =>
      page.messages.map(({ messageId }) => messageId);
    const newest = await bench.store.readHistory('s_alice', 2);
    expect([ids(newest), newest.more, newest.headSeq]).toEqual([['4', '5'], true, 0]);
    const middle = await bench.store.readHistory('s_alice', 2, newest.messages[0]?.messageRef);
    expect([ids(middle), middle.more]).toEqual([['2', '3'], true]);
    const oldest = await bench.store.readHistory('s_alice', 2, middle.messages[0]?.messageRef);
    expect([ids(oldest), oldest.more]).toEqual([['1'], false]);
  },

  'shows the status of each message in the history': async (bench) => {
    await bench.finish(await bench.run({ messageId: 'done' }));
    await bench.run({ messageId: 'runs' });
    await bench.accept({ messageId: 'waits' });
    const { messages, headSeq } = await bench.store.readHistory('s_alice', 10);
    expect(messages).toMatchObject([
      { messageId: 'done', status: 'done', reply: { reason: 'stop', blocks: [{ content: 'a block' }] } },
      { messageId: 'runs', status: 'running' },
      { messageId: 'waits', status: 'queued' },
    ]);
    expect(messages[1]).not.toHaveProperty('reply');
    expect(headSeq).toBe(1);
  },

  'has an empty history for an unknown session': async (bench) => {
    expect(await bench.store.readHistory('s_unknown', 10)).toEqual({ messages: [], more: false, headSeq: 0 });
    expect(await bench.store.readContext('s_unknown', 'nonsense', 10)).toEqual([]);
  },
};
