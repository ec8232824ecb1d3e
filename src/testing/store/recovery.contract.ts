import { expect } from 'vitest';
import { clientOf, type QuestionFacts } from '../../core/questions/question.js';
import { QUESTION_CHANNEL } from '../../core/sessions/question-channel.js';
import { aClient, aFrame, aMessage, anApproval, anEnd, aSession, GENEROUS_LIMITS } from '../factories.js';
import type { Contract } from './bench.js';

/** The state that the next process finds after a crash. */
export const recoveryContract: Contract = {
  '[M-02] still has every acknowledged message, in its order': async (bench) => {
    await bench.accept({ messageId: 'a', priority: 1 });
    await bench.accept({ messageId: 'b', priority: 10 });
    await bench.accept({ messageId: 'c', priority: 1 });
    await bench.under.crash();
    expect(await bench.store.countQueue(0)).toMatchObject({ queued: 3, running: 0 });
    expect(await bench.drain()).toEqual(['b', 'a', 'c']);
  },

  '[D-02] still recognises a repeat, and gives new messages new names': async (bench) => {
    const message = aMessage();
    const { messageRef } = await bench.accept(message);
    await bench.under.crash();
    expect(await bench.store.accept(message, GENEROUS_LIMITS)).toMatchObject({ kind: 'duplicate', messageRef });
    expect((await bench.accept()).messageRef).not.toBe(messageRef);
  },

  '[L-26] still has the trace context of a message': async (bench) => {
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const { messageRef } = await bench.accept({ messageId: 'traced', trace });
    await bench.accept({ messageId: 'later' });
    const { message } = await bench.claimOne();
    expect(message).toMatchObject({ messageId: 'traced', trace });
    await bench.under.crash();
    expect((await bench.claimOne()).message).toMatchObject({ messageId: 'traced', trace });
    const found = await bench.store.findMessage({ by: 'ref', tenant: 'default', messageRef });
    expect(found).toMatchObject({ trace });
  },

  'counts a run that ended with its process as an interruption, and resumes it first': async (bench) => {
    await bench.run({ messageId: 'interrupted' });
    await bench.accept({ messageId: 'mention', priority: 10 });
    await bench.under.crash();
    expect(await bench.store.countQueue(0)).toMatchObject({ queued: 2, running: 0 });
    const claim = await bench.claimOne();
    expect(claim).toMatchObject({ message: { messageId: 'interrupted' }, attempt: 2, interruptions: 1 });
    await bench.under.crash();
    expect(await bench.claimOne()).toMatchObject({ attempt: 3, interruptions: 2 });
  },

  '[L-06] does not count a run that a drain or a retry ended': async (bench) => {
    const claim = await bench.run({ messageId: 'drained' });
    await bench.accept({ messageId: 'mention', priority: 10 });
    await bench.store.release(claim.lease);
    await bench.under.crash();
    const again = await bench.claimOne();
    expect(again).toMatchObject({ message: { messageId: 'drained' }, attempt: 2, interruptions: 0 });
    await bench.store.release(again.lease, bench.under.now() + 120_000);
    await bench.under.crash();
    expect(await bench.claim()).toEqual([]);
    await bench.under.passTime(120_000);
    expect(await bench.claimOne()).toMatchObject({ attempt: 3, interruptions: 0 });
  },

  'does not count a run that waited for a person, nor those of the agents that asked for it': async (bench) => {
    const { message } = await bench.run({ messageId: 'asking' });
    const { messageRef, sessionId } = message;
    const payload = { channel: QUESTION_CHANNEL, sender: sessionId, content: 'pay' };
    const client = clientOf('default', 'main');
    const facts: QuestionFacts = { chain: ['main'], permissions: [], personal: { sessionId, messageRef } };
    await bench.run({
      messageId: 'ask:1',
      client,
      session: aSession('asked'),
      payload: { ...payload, metadata: { ...facts } },
    });
    await bench.run({ messageId: 'other', session: aSession('other') });
    const openedAt = bench.under.now();
    await bench.store.openApproval(anApproval({ messageRef, sessionId, expiresAt: openedAt + 60_000 }));
    const readInterruptions = async () => {
      await bench.under.crash();
      const claims = await bench.claim(3);
      return Object.fromEntries(claims.map(({ message: { messageId }, interruptions }) => [messageId, interruptions]));
    };
    expect(await readInterruptions()).toEqual({ asking: 0, 'ask:1': 0, other: 1 });
    expect(await readInterruptions()).toEqual({ asking: 0, 'ask:1': 0, other: 2 });
    await bench.store.decideApproval('a_1', 'allow', 'ann');
    expect(await readInterruptions()).toEqual({ asking: 1, 'ask:1': 1, other: 3 });
  },

  'counts a run whose approval has expired meanwhile': async (bench) => {
    const { messageRef, sessionId } = (await bench.run()).message;
    await bench.store.openApproval(anApproval({ messageRef, sessionId, expiresAt: bench.under.now() + 60_000 }));
    await bench.under.passTime(60_000);
    await bench.under.crash();
    expect(await bench.claimOne()).toMatchObject({ interruptions: 1 });
  },

  '[D-10] fences off the leases of the process that ended': async (bench) => {
    const old = await bench.run();
    await bench.under.crash();
    expect(await bench.store.append(old.lease, { frames: [aFrame(old)], journal: [] })).toEqual({ kind: 'fenced' });
    const current = await bench.claimOne();
    expect(current.lease.epoch).toBeGreaterThan(old.lease.epoch);
    expect(await bench.store.finish(old.lease, anEnd(old))).toEqual({ kind: 'fenced' });
    expect(await bench.store.renew([old.lease, current.lease], 10_000)).toMatchObject({ lost: [old.lease] });
    expect(await bench.finish(current)).toMatchObject({ kind: 'written' });
  },

  '[D-06] still has the journal and the frames of a run, and continues their numbers': async (bench) => {
    const claim = await bench.run();
    const journal = [{ step: 0, kind: 'answer' as const, body: '{"text":"hi"}' }];
    await bench.store.append(claim.lease, { frames: [aFrame(claim, 'one'), aFrame(claim, 'two')], journal });
    const before = await bench.store.readTurn(claim.message.messageRef);
    await bench.under.crash();
    expect(await bench.store.readTurn(claim.message.messageRef)).toEqual(before);
    const again = await bench.claimOne();
    expect(await bench.store.append(again.lease, { frames: [aFrame(again)], journal: [] })).toMatchObject({
      frames: [{ seq: 3 }],
    });
    expect((await bench.store.readTurn(claim.message.messageRef)).frames.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  },

  '[S-13] knows under which epochs a frame can have been read, also when an older copy is put back': async (bench) => {
    const { under } = bench;
    const has = async (seq: number, epoch: string) => under.store.hasFrame('s_alice', seq, epoch);
    const first = under.store.logEpoch;
    await bench.finish(await bench.run());
    await under.crash('keep');
    const lost = under.store.logEpoch;
    await bench.finish(await bench.run());
    const { messageRef } = await bench.accept();
    expect([lost === first, await has(1, first), await has(2, first), await has(2, lost)]).toEqual([
      false,
      true,
      false,
      true,
    ]);
    if (!under.hasCopies) return;

    await under.crash('putBack');
    await bench.finish(await bench.run());
    const third = await bench.accept();
    const current = under.store.logEpoch;
    expect([await has(1, first), await has(2, lost), await has(1, lost), await has(2, current)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect([await has(0, lost), await has(3, current), await has(0, 'unheard-of')]).toEqual([true, false, true]);
    expect(third.messageRef).not.toBe(messageRef);
    expect(await bench.store.findMessage({ by: 'ref', tenant: 'default', messageRef })).toBeUndefined();
  },

  '[S-13] remembers the epoch of the newest frame that retention has deleted': async (bench) => {
    const { store, logEpoch: first } = { store: bench.store, logEpoch: bench.store.logEpoch };
    await bench.finish(await bench.run());
    expect(await store.hasFrame('s_alice', 1, first)).toBe(true);
    await bench.under.crash();
    await bench.finish(await bench.run());
    const limits = { framesBefore: Number.MAX_SAFE_INTEGER, dedupeBefore: 0, sessionsBefore: undefined };
    while (await bench.store.sweep(limits));
    expect(await bench.log()).toEqual([]);
    const { logEpoch: second } = bench.store;
    expect(await bench.store.hasFrame('s_alice', 2, first)).toBe(false);
    expect(await bench.store.hasFrame('s_alice', 2, second)).toBe(true);
    expect(await bench.store.hasFrame('s_alice', 1, first)).toBe(true);
  },

  'still knows which messages are to be cancelled': async (bench) => {
    const { lease } = await bench.run();
    await bench.store.cancel({ by: 'ref', tenant: 'default', messageRef: lease.messageRef }, 1);
    await bench.under.crash();
    expect(await bench.claimOne()).toMatchObject({ cancelRequested: true });
  },

  'still has the ends and the replies of finished messages': async (bench) => {
    await bench.finish(await bench.run());
    const cancelled = await bench.accept();
    await bench.store.cancel({ by: 'ref', tenant: 'default', messageRef: cancelled.messageRef }, 1);
    const [log, history] = [await bench.log(), await bench.store.readHistory('s_alice', 10)];
    await bench.under.crash();
    expect(await bench.log()).toEqual(log);
    expect(await bench.store.readHistory('s_alice', 10)).toEqual(history);
    expect(await bench.claim()).toEqual([]);
  },

  'still enforces the limits': async (bench) => {
    await bench.run();
    await bench.accept();
    await bench.under.crash();
    for (const limit of ['perSession', 'perClient', 'total'] as const) {
      const outcome = await bench.store.accept(aMessage(), { ...GENEROUS_LIMITS, [limit]: 2 });
      expect(outcome).toEqual({ kind: 'full', limit });
    }
  },

  'still has sessions as they were changed, their resets, and the cursors': async (bench) => {
    await bench.finish(await bench.run());
    await bench.finish(await bench.run());
    await bench.store.updateSession('s_alice', { mode: 'queue', explicitActivation: true, resetContext: true });
    await bench.store.moveCursor(aClient(), 's_alice', 1);
    const before = await bench.store.findSession('s_alice');
    await bench.under.crash();
    expect(await bench.store.findSession('s_alice')).toEqual(before);
    expect(await bench.store.listResumable(aClient())).toEqual([{ sessionId: 's_alice', seq: 1 }]);
    const claim = await bench.run();
    expect(await bench.store.readContext('s_alice', claim.message.messageRef, 10)).toEqual([]);
  },
};
