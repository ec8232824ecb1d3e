import { expect } from 'vitest';
import { aCancelledEnd, aClient, aPayload, aSession, GENEROUS_LIMITS, aMessage } from '../factories.js';
import type { Contract, StoreBench } from './bench.js';

const REFUSED = { kind: 'nothing_to_supersede' };

/** Accepts a message that supersedes another. */
const supersede = (bench: StoreBench, supersedes: string, changes: Parameters<typeof aMessage>[0] = {}) =>
  bench.store.accept(aMessage({ payload: aPayload({ supersedes }), ...changes }), GENEROUS_LIMITS);

/** Accepts and ends one message. Returns its ref. */
async function answered(bench: StoreBench, changes: Parameters<typeof aMessage>[0] = {}): Promise<string> {
  const claim = await bench.run(changes);
  await bench.finish(claim);
  return claim.message.messageRef;
}

const marks = async (bench: StoreBench) => {
  const { messages } = await bench.store.readHistory('s_alice', 100);
  return messages.map(({ messageRef, supersededBy }) => [messageRef, supersededBy]);
};

export const supersedingContract: Contract = {
  '[M-20] marks an ended message and all after it, and leaves them out of the context': async (bench) => {
    const refs = [await answered(bench), await answered(bench), await answered(bench)] as const;
    const outcome = await supersede(bench, refs[1]);
    if (outcome.kind !== 'accepted') throw new Error(outcome.kind);
    const { messageRef } = outcome;
    expect(outcome).toMatchObject({ status: 'queued', sessionId: 's_alice', position: 0 });
    expect(outcome.ended).toBeUndefined();
    expect(await marks(bench)).toEqual([
      [refs[0], undefined],
      [refs[1], messageRef],
      [refs[2], messageRef],
      [messageRef, undefined],
    ]);
    const context = await bench.store.readContext('s_alice', messageRef, 100);
    expect(context.map((message) => message.messageRef)).toEqual([refs[0]]);
    expect(await bench.log()).toHaveLength(3);
  },

  'reads as many messages of the context as it is asked for, whatever is superseded': async (bench) => {
    const first = await answered(bench);
    let newest = await answered(bench);
    for (let i = 0; i < 5; i++) {
      const outcome = await supersede(bench, newest);
      if (outcome.kind !== 'accepted') throw new Error(outcome.kind);
      await bench.finish(await bench.claimOne());
      newest = outcome.messageRef;
    }
    const { messageRef } = await bench.accept();
    const context = await bench.store.readContext('s_alice', messageRef, 2);
    expect(context.map((message) => message.messageRef)).toEqual([first, newest]);
  },

  '[M-20] marks only the exchange itself in a group': async (bench) => {
    const session = aSession('alice', { mode: 'group' });
    const refs = [await answered(bench, { session }), await answered(bench, { session })] as const;
    const outcome = await supersede(bench, refs[0], { session });
    expect(await marks(bench)).toMatchObject([
      [refs[0], expect.any(String)],
      [refs[1], undefined],
      [expect.anything(), undefined],
    ]);
    expect(outcome.kind).toBe('accepted');
  },

  '[M-21] cancels a message that waits in the commit that stores the new one': async (bench) => {
    await bench.run();
    const { messageRef } = await bench.accept({ messageId: 'waits' });
    const outcome = await supersede(bench, messageRef, { messageId: 'new', receivedAt: 4_711 });
    const frame = aCancelledEnd(messageRef, 'waits', 4_711);
    expect(outcome).toMatchObject({ kind: 'accepted', position: 0, ended: frame });
    expect(await bench.log()).toEqual([frame]);
    expect(await bench.store.countQueue(0)).toMatchObject({ queued: 1, running: 1 });
    expect(await bench.store.findMessage({ by: 'id', client: aClient(), messageId: 'waits' })).toBeDefined();
  },

  '[M-21] takes the place of a waiting message when the queue is full': async (bench) => {
    const { messageRef } = await bench.accept();
    const limits = { perSession: 1, perClient: 1, total: 1 };
    const message = aMessage({ payload: aPayload({ supersedes: messageRef }) });
    expect(await bench.store.accept(message, limits)).toMatchObject({ kind: 'accepted', status: 'queued' });
    expect(await bench.store.countQueue(0)).toMatchObject({ queued: 1, running: 0 });
  },

  'respects the limits when the superseded message has ended': async (bench) => {
    const ended = await answered(bench);
    await bench.accept();
    const message = aMessage({ payload: aPayload({ supersedes: ended }) });
    expect(await bench.store.accept(message, { perSession: 1, perClient: 9, total: 9 })).toEqual({
      kind: 'full',
      limit: 'perSession',
    });
    expect(await marks(bench)).toMatchObject([
      [ended, undefined],
      [expect.anything(), undefined],
    ]);
  },

  '[M-20] refuses what is unknown, runs, was observed, or is of another sender or session': async (bench) => {
    const ofBob = await answered(bench, { payload: aPayload({ sender: 'bob' }) });
    const elsewhere = await answered(bench, { session: aSession('bob') });
    const { messageRef: observed } = await bench.accept({ isAddressed: false });
    const running = (await bench.run()).message.messageRef;
    for (const ref of [ofBob, elsewhere, observed, running, 'nonsense']) {
      expect(await supersede(bench, ref)).toEqual(REFUSED);
    }
    expect(await supersede(bench, elsewhere, { session: aSession('new') })).toEqual(REFUSED);
    expect(await bench.store.findSession('s_new')).toBeUndefined();
    expect(await marks(bench)).toHaveLength(3);
  },

  'recognises a repeat, also when the superseded message could not be superseded again': async (bench) => {
    await bench.run();
    const { messageRef } = await bench.accept();
    const first = await supersede(bench, messageRef, { messageId: 'again' });
    const repeated = await supersede(bench, messageRef, { messageId: 'again' });
    const duplicate = { kind: 'duplicate', messageRef: 'messageRef' in first ? first.messageRef : '' };
    expect(repeated).toMatchObject(duplicate);
    const moved = { messageId: 'again', session: aSession('bob') };
    expect(await supersede(bench, messageRef, moved)).toMatchObject(duplicate);
    expect(await supersede(bench, messageRef, { ...moved, namesSession: true })).toEqual({ kind: 'conflict' });
    expect(
      await supersede(bench, messageRef, {
        messageId: 'again',
        payload: aPayload({ supersedes: messageRef, content: 'another' }),
      }),
    ).toEqual({
      kind: 'conflict',
    });
    expect(await bench.log()).toHaveLength(1);
  },

  'keeps the first mark of a message that is superseded twice': async (bench) => {
    const first = await answered(bench);
    const outcome = await supersede(bench, first);
    await bench.finish(await bench.claimOne());
    await supersede(bench, first);
    expect((await marks(bench))[0]).toEqual([first, 'messageRef' in outcome ? outcome.messageRef : '']);
  },

  '[M-21] keeps the marks and the end when the process dies': async (bench) => {
    await bench.run();
    const { messageRef } = await bench.accept();
    const outcome = await supersede(bench, messageRef);
    await bench.under.crash();
    expect(await bench.log()).toHaveLength(1);
    expect(await marks(bench)).toMatchObject([
      [expect.anything(), undefined],
      [messageRef, 'messageRef' in outcome ? outcome.messageRef : ''],
      [expect.anything(), undefined],
    ]);
  },
};
