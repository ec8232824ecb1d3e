import { expect } from 'vitest';
import { aCancelledEnd, aClient, aFrame, aSession } from '../factories.js';
import type { Contract } from './bench.js';

export const cancelContract: Contract = {
  '[C-03] ends a waiting message with its one stream_end': async (bench) => {
    await bench.run();
    const { messageRef } = await bench.accept({ messageId: 'waits' });
    const outcome = await bench.store.cancel({ by: 'ref', tenant: 'default', messageRef }, 4_711);
    const frame = aCancelledEnd(messageRef, 'waits', 4_711);
    expect(outcome).toEqual({ ended: [frame], running: [] });
    expect(await bench.log()).toEqual([frame]);
    const { messages } = await bench.store.readHistory('s_alice', 1);
    expect(messages).toMatchObject([
      { status: 'cancelled', reply: { blocks: [], reason: 'cancelled', endedAt: 4_711 } },
    ]);
    expect(await bench.store.countQueue(0)).toMatchObject({ queued: 0, running: 1 });
  },

  'never runs a message that was cancelled': async (bench) => {
    const { messageRef } = await bench.accept({ messageId: 'gone' });
    await bench.accept({ messageId: 'stays' });
    await bench.store.cancel({ by: 'ref', tenant: 'default', messageRef }, 1);
    expect(await bench.drain()).toEqual(['stays']);
  },

  '[C-04] marks a running message, so that its runner ends it': async (bench) => {
    const { lease } = await bench.run();
    const { messageRef, sessionId } = lease;
    const outcome = await bench.store.cancel({ by: 'ref', tenant: 'default', messageRef }, 1);
    expect(outcome).toEqual({ ended: [], running: [{ sessionId, messageRef }] });
    expect(await bench.store.renew([lease], 10_000)).toEqual({ lost: [], cancelRequested: [lease] });
    expect(await bench.log()).toEqual([]);
  },

  "finds a message by its sender's own id": async (bench) => {
    const { messageRef } = await bench.accept({ messageId: 'mine' });
    const client = aClient();
    expect(await bench.store.cancel({ by: 'id', client, messageId: 'mine' }, 1)).toMatchObject({
      ended: [{ messageRef }],
    });
  },

  'cancels all of a session and nothing of another': async (bench) => {
    const { lease } = await bench.run();
    await bench.accept({ messageId: 'two' });
    await bench.accept({ messageId: 'three', priority: 10 });
    await bench.accept({ session: aSession('bob') });
    const outcome = await bench.store.cancel({ by: 'session', tenant: 'default', sessionId: 's_alice' }, 1);
    expect(outcome?.running).toEqual([{ sessionId: 's_alice', messageRef: lease.messageRef }]);
    expect(outcome?.ended.map(({ messageId }) => messageId).sort()).toEqual(['three', 'two']);
    expect(await bench.store.countQueue(0)).toMatchObject({ queued: 1, running: 1 });
  },

  '[C-03] leaves a finished message alone': async (bench) => {
    const claim = await bench.run();
    await bench.finish(claim);
    const { messageRef } = claim.message;
    expect(await bench.store.cancel({ by: 'ref', tenant: 'default', messageRef }, 1)).toEqual({
      ended: [],
      running: [],
    });
    const all = await bench.store.cancel({ by: 'session', tenant: 'default', sessionId: 's_alice' }, 1);
    expect(all).toEqual({ ended: [], running: [] });
    expect(await bench.log()).toHaveLength(1);
  },

  '[C-08] finds nothing that does not exist or belongs to another tenant': async (bench) => {
    const { messageRef } = await bench.accept({ messageId: 'mine' });
    const strangers = [
      { by: 'ref', tenant: 'other', messageRef },
      { by: 'ref', tenant: 'default', messageRef: 'nonsense' },
      { by: 'id', client: aClient({ clientId: 'stranger' }), messageId: 'mine' },
      { by: 'id', client: aClient(), messageId: 'another' },
      { by: 'session', tenant: 'other', sessionId: 's_alice' },
      { by: 'session', tenant: 'default', sessionId: 's_unknown' },
    ] as const;
    for (const selector of strangers) expect(await bench.store.cancel(selector, 1)).toBeUndefined();
    expect(await bench.store.countQueue(0)).toMatchObject({ queued: 1 });
  },

  'leaves a message that has frames of an earlier run to a run, which may start at once': async (bench) => {
    const claim = await bench.run();
    await bench.store.append(claim.lease, { frames: [aFrame(claim)], journal: [] });
    await bench.store.release(claim.lease, bench.under.now() + 60_000);
    const { messageRef } = claim.message;
    const outcome = await bench.store.cancel({ by: 'ref', tenant: 'default', messageRef }, 1);
    expect(outcome).toEqual({ ended: [], running: [{ sessionId: 's_alice', messageRef }] });
    expect(await bench.claimOne()).toMatchObject({ cancelRequested: true, message: { messageRef } });
  },

  'ends a message that was released before it had any frame': async (bench) => {
    const claim = await bench.run();
    await bench.store.release(claim.lease);
    const { messageRef } = claim.message;
    const outcome = await bench.store.cancel({ by: 'ref', tenant: 'default', messageRef }, 1);
    expect(outcome).toMatchObject({ ended: [{ messageRef, type: 'stream_end' }], running: [] });
    expect(await bench.claim()).toEqual([]);
  },

  'does not wait for the retry of a message that is to be cancelled': async (bench) => {
    const claim = await bench.run();
    await bench.store.cancel({ by: 'ref', tenant: 'default', messageRef: claim.message.messageRef }, 1);
    await bench.store.release(claim.lease, bench.under.now() + 60_000);
    expect(await bench.claimOne()).toMatchObject({ cancelRequested: true });
  },
};
