import { expect } from 'vitest';
import type { Claim, JoinWrite, NewFrame, Reply, StoredMessage } from '../../core/store/index.js';
import { aFrame, anEnd, aReply, aSession } from '../factories.js';
import type { Contract } from './bench.js';

/** The write that merges `joining` into the turn of `claim`. */
function aJoin(claim: Claim, joining: readonly StoredMessage[]): JoinWrite {
  const mergedInto = claim.message.messageRef;
  return {
    frames: joining.map((message) => aFrame({ ...claim, message }, 'the end', { type: 'stream_end' })),
    journal: [{ step: 0, kind: 'joined', body: '{}' }],
    ended: joining.map(({ messageRef }) => ({
      messageRef,
      reply: aReply({ blocks: [], reason: 'merged', mergedInto }),
    })),
  };
}

export const turnContract: Contract = {
  '[S-01] numbers frames densely from 1, and returns them as they are in the log': async (bench) => {
    const claim = await bench.run();
    const frames = [aFrame(claim, 'one'), aFrame(claim, 'two', { type: 'tool_status', timestamp: 7 })];
    const first = await bench.store.append(claim.lease, { frames, journal: [] });
    const second = await bench.finish(claim);
    const log = await bench.log();
    expect(first).toEqual({ kind: 'written', frames: log.slice(0, 2) });
    expect(second).toEqual({ kind: 'written', frames: log.slice(2) });
    expect(log).toMatchObject([
      { seq: 1, sessionId: 's_alice', ...frames[0] },
      { seq: 2, sessionId: 's_alice', ...frames[1] },
      { seq: 3, type: 'stream_end' },
    ]);
  },

  'numbers each session separately': async (bench) => {
    const one = await bench.run();
    const other = await bench.run({ session: aSession('bob') });
    for (const claim of [one, other, one])
      await bench.store.append(claim.lease, { frames: [aFrame(claim)], journal: [] });
    expect((await bench.log('s_alice')).map(({ seq }) => seq)).toEqual([1, 2]);
    expect((await bench.log('s_bob')).map(({ seq }) => seq)).toEqual([1]);
  },

  'numbers the end of a cancelled message in sequence with the frames of the running one': async (bench) => {
    const claim = await bench.run();
    const { messageRef } = await bench.accept();
    await Promise.all([
      bench.store.append(claim.lease, { frames: [aFrame(claim)], journal: [] }),
      bench.store.cancel({ by: 'ref', tenant: 'default', messageRef }, 1),
      bench.store.append(claim.lease, { frames: [aFrame(claim)], journal: [] }),
    ]);
    expect((await bench.log()).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  },

  'gives a resumed turn its steps, with the head at each, and only its own frames': async (bench) => {
    await bench.finish(await bench.run());
    const claim = await bench.run();
    const cancelled = await bench.accept();
    const step = (n: number) => ({
      step: n,
      kind: n === 1 ? ('tool_intent' as const) : ('answer' as const),
      body: `{"n":${n}}`,
    });
    await bench.store.append(claim.lease, { frames: [aFrame(claim, 'a'), aFrame(claim, 'b')], journal: [step(0)] });
    await bench.store.cancel({ by: 'ref', tenant: 'default', messageRef: cancelled.messageRef }, 1);
    await bench.store.append(claim.lease, { frames: [aFrame(claim, 'c')], journal: [] });
    await bench.store.append(claim.lease, { frames: [], journal: [step(1), step(2)] });
    const { steps, frames } = await bench.store.readTurn(claim.message.messageRef);
    expect(steps).toEqual([
      { ...step(0), headSeq: 3 },
      { ...step(1), headSeq: 5 },
      { ...step(2), headSeq: 5 },
    ]);
    expect(frames).toEqual((await bench.log()).filter(({ seq }) => [2, 3, 5].includes(seq)));
  },

  'has neither steps nor frames of a message that never ran or does not exist': async (bench) => {
    const { messageRef } = await bench.accept();
    expect(await bench.store.readTurn(messageRef)).toEqual({ steps: [], frames: [] });
    expect(await bench.store.readTurn('nonsense')).toEqual({ steps: [], frames: [] });
  },

  'ends a message with its last frames, its status and its reply together': async (bench) => {
    const claim = await bench.run();
    const reply = aReply({
      reason: 'error',
      usage: { input_tokens: 1, output_tokens: 2 },
      error: { code: 'AGENT_FAILED', message: 'no', retryable: false },
    });
    const journal = [{ step: 0, kind: 'answer' as const, body: '{}' }];
    await bench.store.finish(claim.lease, anEnd(claim, { status: 'failed', journal, reply }));
    const { messages } = await bench.store.readHistory('s_alice', 1);
    expect(messages).toMatchObject([{ status: 'failed', reply: JSON.parse(reply) as Reply }]);
    expect(await bench.log()).toHaveLength(1);
    expect(await bench.store.countQueue(0)).toMatchObject({ queued: 0, running: 0 });
  },

  'adds blocks that the reply lacks from the log, of each index the newest one that stands': async (bench) => {
    await bench.finish(await bench.run());
    const claim = await bench.run();
    const { messageRef: message_ref, messageId: message_id } = claim.message;
    const block = (n: number, content: string) =>
      ({ block_id: `b${n}`, block_type: 'text', content, metadata: { index: n, of: 'é "\ud800" \n' } }) as const;
    const frame = (index: number, content: string) =>
      aFrame(claim, '', {
        payload: JSON.stringify({ message_id, message_ref, attempt: 1, index, ...block(index, content) }),
      });
    const write = (...frames: readonly NewFrame[]) => bench.store.append(claim.lease, { frames, journal: [] });
    await write(...[0, 1, 2, 3, 4].map((n) => frame(n, 'first')));
    await write(aFrame(claim, '', { type: 'stream_restart', payload: '{"replaces_from_seq":4}' }));
    const frames = [frame(1, 'second'), frame(2, 'last'), aFrame(claim, 'the end', { type: 'stream_end' })];
    const reply = JSON.stringify({ reason: 'stop', endedAt: 7 });
    await bench.store.finish(claim.lease, { frames, journal: [], status: 'done', reply, loggedBlocks: 3 });
    const { messages } = await bench.store.readHistory('s_alice', 1);
    const blocks = [block(0, 'first'), block(1, 'second'), block(2, 'last')];
    expect(messages[0]?.reply).toEqual({ reason: 'stop', endedAt: 7, blocks });
  },

  '[C-20] lists the waiting messages of a session in the order in which they would run': async (bench) => {
    const claim = await bench.run();
    const low = await bench.accept();
    const high = await bench.accept({ priority: 10 });
    await bench.accept({ session: aSession('bob') });
    expect((await bench.store.listWaiting('s_alice')).map(({ messageRef }) => messageRef)).toEqual([
      high.messageRef,
      low.messageRef,
    ]);
    await bench.finish(claim);
    expect(await bench.store.listWaiting('s_unknown')).toEqual([]);
  },

  '[C-20] merges waiting messages into a running turn: their ends, the step and the frames together': async (bench) => {
    const claim = await bench.run();
    const one = await bench.accept();
    const two = await bench.accept();
    const joining = await bench.store.listWaiting('s_alice');
    const write = aJoin(claim, joining);
    expect(await bench.store.join(claim.lease, write)).toMatchObject({
      kind: 'written',
      frames: [
        { seq: 1, messageRef: one.messageRef },
        { seq: 2, messageRef: two.messageRef },
      ],
    });
    expect(await bench.store.listWaiting('s_alice')).toEqual([]);
    expect((await bench.store.readTurn(claim.message.messageRef)).steps).toEqual([{ ...write.journal[0], headSeq: 2 }]);
    const { messages } = await bench.store.readHistory('s_alice', 9);
    expect(messages.slice(1)).toMatchObject(
      [one, two].map(() => ({ status: 'done', reply: { reason: 'merged', mergedInto: claim.message.messageRef } })),
    );
    expect(await bench.store.countQueue(0)).toMatchObject({ queued: 0, running: 1 });
    await bench.finish(claim);
    expect((await bench.store.claim({ replicaId: claim.lease.replicaId, limit: 9, leaseMs: 1_000 })).claims).toEqual(
      [],
    );
  },

  '[C-20] merges all of the messages or none, and none under an old lease': async (bench) => {
    const claim = await bench.run();
    await bench.accept();
    const { messageRef } = await bench.accept();
    const write = aJoin(claim, await bench.store.listWaiting('s_alice'));
    await bench.store.cancel({ by: 'ref', tenant: 'default', messageRef }, 1);
    expect(await bench.store.join(claim.lease, write)).toEqual({ kind: 'changed' });
    expect(await bench.store.join({ ...claim.lease, epoch: claim.lease.epoch - 1 }, { ...write, ended: [] })).toEqual({
      kind: 'fenced',
    });
    expect(await bench.store.listWaiting('s_alice')).toHaveLength(1);
    expect((await bench.store.readTurn(claim.message.messageRef)).steps).toEqual([]);
    expect((await bench.log()).map(({ messageRef: ref }) => ref)).toEqual([messageRef]);
    const elsewhere = await bench.run({ session: aSession('bob') });
    expect(await bench.store.join(elsewhere.lease, aJoin(elsewhere, await bench.store.listWaiting('s_alice')))).toEqual(
      { kind: 'changed' },
    );
  },

  'frees the session for its next message': async (bench) => {
    const claim = await bench.run();
    await bench.accept({ messageId: 'next' });
    await bench.finish(claim);
    expect(await bench.claimOne()).toMatchObject({ message: { messageId: 'next' }, attempt: 1 });
  },

  '[D-10] writes nothing under a released lease': async (bench) => {
    const claim = await bench.run();
    await bench.store.release(claim.lease);
    const journal = [{ step: 0, kind: 'answer' as const, body: '{}' }];
    expect(await bench.store.append(claim.lease, { frames: [aFrame(claim)], journal })).toEqual({ kind: 'fenced' });
    expect(await bench.store.finish(claim.lease, anEnd(claim))).toEqual({ kind: 'fenced' });
    expect(await bench.log()).toEqual([]);
    expect(await bench.store.readTurn(claim.message.messageRef)).toEqual({ steps: [], frames: [] });
  },

  '[D-10] writes nothing under the epoch of an earlier run while a later one runs': async (bench) => {
    const old = await bench.run();
    await bench.store.release(old.lease);
    const current = await bench.claimOne();
    expect(await bench.store.append(old.lease, { frames: [aFrame(old)], journal: [] })).toEqual({ kind: 'fenced' });
    expect(await bench.store.finish(old.lease, anEnd(old))).toEqual({ kind: 'fenced' });
    expect(await bench.finish(current)).toMatchObject({ kind: 'written' });
    expect(await bench.finish(current)).toEqual({ kind: 'fenced' });
    expect(await bench.log()).toHaveLength(1);
  },

  'accepts a write without frames': async (bench) => {
    const claim = await bench.run();
    expect(await bench.store.append(claim.lease, { frames: [], journal: [] })).toEqual({ kind: 'written', frames: [] });
    expect(await bench.log()).toEqual([]);
  },

  'returns the earlier messages to the agent, oldest first, observed ones included': async (bench) => {
    await bench.finish(await bench.run({ messageId: 'one' }));
    await bench.accept({ messageId: 'two', isAddressed: false });
    await bench.accept({ messageId: 'elsewhere', session: aSession('bob'), isAddressed: false });
    const claim = await bench.run({ messageId: 'three' });
    await bench.accept({ messageId: 'four' });
    const context = await bench.store.readContext('s_alice', claim.message.messageRef, 10);
    expect(context).toMatchObject([
      { messageId: 'one', status: 'done', reply: { reason: 'stop' } },
      { messageId: 'two', status: 'observed' },
    ]);
    const newest = await bench.store.readContext('s_alice', claim.message.messageRef, 1);
    expect(newest.map(({ messageId }) => messageId)).toEqual(['two']);
  },

  'returns nothing from before a reset to the agent': async (bench) => {
    await bench.finish(await bench.run({ messageId: 'one' }));
    await bench.store.updateSession('s_alice', { resetContext: true });
    await bench.finish(await bench.run({ messageId: 'two' }));
    const claim = await bench.run({ messageId: 'three' });
    const context = await bench.store.readContext('s_alice', claim.message.messageRef, 10);
    expect(context.map(({ messageId }) => messageId)).toEqual(['two']);
    expect((await bench.store.readHistory('s_alice', 10)).messages).toHaveLength(3);
  },
};
