import { expect } from 'vitest';
import { aClient, aFrame, aMessage, aReply, aSession, GENEROUS_LIMITS } from '../factories.js';
import type { Contract, StoreBench } from './bench.js';

const other = aClient({ clientId: 'other' });

/** Writes `count` frames of one message, which keeps running. Each payload is one character and two quotes. */
async function writeFrames(bench: StoreBench, count: number, timestamp = 1) {
  const claim = await bench.run();
  const frames = Array.from({ length: count }, () => aFrame(claim, '', { payload: '"x"', timestamp }));
  await bench.store.append(claim.lease, { frames, journal: [] });
  return claim;
}

const cursorOf = async (bench: StoreBench, client = aClient()) => (await bench.store.listResumable(client))[0]?.seq;

export const frameContract: Contract = {
  '[S-04] reads the frames after a seq, a page at a time': async (bench) => {
    await writeFrames(bench, 5);
    const seqs = async (after: number, frames: number, bytes: number) =>
      (await bench.store.readFrames('s_alice', after, frames, bytes)).frames.map(({ seq }) => seq);
    expect(await seqs(0, 100, 1_000)).toEqual([1, 2, 3, 4, 5]);
    expect(await seqs(2, 2, 1_000)).toEqual([3, 4]);
    expect(await seqs(1, 100, 6)).toEqual([2, 3]);
    expect(await seqs(1, 100, 1)).toEqual([2]);
    expect(await seqs(5, 100, 1_000)).toEqual([]);
    expect(await bench.store.readFrames('s_alice', 9, 1, 1)).toEqual({ frames: [], headSeq: 5, firstSeq: 1 });
    expect(await bench.store.readFrames('s_unknown', 0, 1, 1)).toEqual({ frames: [], headSeq: 0, firstSeq: 1 });
  },

  'knows the heads of the existing sessions': async (bench) => {
    await writeFrames(bench, 2);
    await bench.accept({ session: aSession('bob') });
    const heads = await bench.store.readHeads(['s_alice', 's_bob', 's_unknown']);
    expect([...heads].sort((one, two) => two.seq - one.seq)).toEqual([
      { sessionId: 's_alice', seq: 2 },
      { sessionId: 's_bob', seq: 0 },
    ]);
  },

  '[D-16] reads a log without gaps while it is written': async (bench) => {
    const claim = await bench.run();
    const seen: number[] = [];
    const writing = Array.from({ length: 20 }, () =>
      bench.store.append(claim.lease, { frames: [aFrame(claim), aFrame(claim)], journal: [] }),
    );
    while ((seen.at(-1) ?? 0) < 40) {
      const { frames, headSeq } = await bench.store.readFrames('s_alice', seen.at(-1) ?? 0, 3, 1_000);
      seen.push(...frames.map(({ seq }) => seq));
      expect(headSeq).toBeGreaterThanOrEqual(seen.at(-1) ?? 0);
    }
    await Promise.all(writing);
    expect(seen).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  },

  '[S-12] moves a cursor forward only, and never beyond the head': async (bench) => {
    await writeFrames(bench, 5);
    expect(await cursorOf(bench)).toBe(0);
    await bench.store.moveCursor(aClient(), 's_alice', 3);
    expect(await cursorOf(bench)).toBe(3);
    await bench.store.moveCursor(aClient(), 's_alice', 2);
    expect(await cursorOf(bench)).toBe(3);
    await bench.store.moveCursor(aClient(), 's_alice', 99);
    expect(await cursorOf(bench)).toBe(5);
    await bench.store.moveCursor(aClient(), 's_unknown', 1);
  },

  'stores a cursor for a client that only reads': async (bench) => {
    await writeFrames(bench, 2);
    await bench.store.moveCursor(other, 's_alice', 1);
    expect(await bench.store.listResumable(other)).toEqual([{ sessionId: 's_alice', seq: 1 }]);
  },

  'starts the cursor of a sender where the log stood at its first message': async (bench) => {
    await writeFrames(bench, 3);
    await bench.accept({ client: other });
    await bench.accept({ client: other });
    expect(await bench.store.listResumable(other)).toEqual([{ sessionId: 's_alice', seq: 3 }]);
  },

  '[D-15] lists only the sessions that have undelivered frames for a client': async (bench) => {
    await bench.finish(await bench.run());
    await bench.store.moveCursor(aClient(), 's_alice', 1);
    expect(await bench.store.listResumable(aClient())).toEqual([]);
    await bench.accept({ client: other });
    expect(await bench.store.listResumable(aClient())).toEqual([]);
    expect(await bench.store.listResumable(other)).toEqual([{ sessionId: 's_alice', seq: 1 }]);
    await bench.drain();
    expect(await bench.store.listResumable(aClient())).toEqual([{ sessionId: 's_alice', seq: 1 }]);
    expect(await bench.store.listResumable(aClient({ clientId: 'unknown' }))).toEqual([]);
  },

  '[S-16] lists for a client that follows channels what their sessions got since its first connect': async (bench) => {
    const unread = async (...channels: string[]) =>
      Object.fromEntries(
        (await bench.store.listResumable(other, channels)).map(({ sessionId, seq }) => [sessionId, seq]),
      );
    await bench.finish(await writeFrames(bench, 2));
    await bench.store.noteFollower(other);
    expect(await unread('test')).toEqual({});
    expect(await bench.store.findPosition(other, 's_alice')).toEqual({ seq: 3, headSeq: 3 });
    await bench.finish(await bench.run());
    await bench.finish(await bench.run({ session: aSession('bob') }));
    await bench.store.noteFollower(other);
    expect(await unread('test', 'elsewhere')).toEqual({ s_alice: 3, s_bob: 0 });
    expect([await unread(), await unread('elsewhere')]).toEqual([{}, {}]);
    expect(await bench.store.findPosition(other, 's_alice')).toEqual({ seq: 3, headSeq: 4 });
    await bench.store.moveCursor(other, 's_alice', 4);
    await bench.accept({ client: other, session: aSession('bob') });
    expect(await unread('test')).toEqual({ s_bob: 0 });
    expect(await bench.store.findPosition(other, 's_unknown')).toEqual({ seq: 0, headSeq: 0 });
  },

  'proves that it can commit': async ({ store }) => {
    await store.check();
    await store.check();
  },
};

const NOTHING_OLD = { framesBefore: 0, dedupeBefore: 0, sessionsBefore: undefined };

async function sweepAll(bench: StoreBench, limits: object): Promise<void> {
  for (let round = 0; await bench.store.sweep({ ...NOTHING_OLD, ...limits }); round++) expect(round).toBeLessThan(100);
}

/** Retention: what is deleted and what stays. */
export const sweepContract: Contract = {
  '[S-06] deletes frames past retention, and keeps counting': async (bench) => {
    await bench.finish(await writeFrames(bench, 3));
    await sweepAll(bench, { framesBefore: 2 });
    const page = await bench.store.readFrames('s_alice', 0, 100, 1_000);
    expect([page.firstSeq, page.headSeq, page.frames.map(({ seq }) => seq)]).toEqual([4, 4, [4]]);
    await sweepAll(bench, { framesBefore: Number.MAX_SAFE_INTEGER });
    expect(await bench.store.readFrames('s_alice', 0, 100, 1_000)).toEqual({ frames: [], headSeq: 4, firstSeq: 5 });
    await bench.finish(await bench.run());
    expect((await bench.log()).map(({ seq }) => seq)).toEqual([5]);
    await sweepAll(bench, { framesBefore: Number.MAX_SAFE_INTEGER });
    expect(await bench.log()).toEqual([]);
  },

  'keeps the frames of a message that is not finished': async (bench) => {
    const claim = await writeFrames(bench, 2);
    await sweepAll(bench, { framesBefore: Number.MAX_SAFE_INTEGER });
    expect((await bench.store.readTurn(claim.message.messageRef)).frames).toHaveLength(2);
    await bench.finish(claim);
    await bench.under.passTime(60_000);
    await sweepAll(bench, { framesBefore: Number.MAX_SAFE_INTEGER });
    expect(await bench.log()).toEqual([]);
  },

  'deletes many frames in bounded pieces': async (bench) => {
    const claim = await bench.run();
    const frames = Array.from({ length: 2_500 }, () => aFrame(claim, '', { timestamp: 1 }));
    await bench.store.finish(claim.lease, {
      frames,
      journal: [],
      status: 'done',
      reply: aReply(),
    });
    expect(await bench.store.sweep({ ...NOTHING_OLD, framesBefore: 2 })).toBe(true);
    const { firstSeq } = await bench.store.readFrames('s_alice', 0, 1, 1);
    expect(firstSeq).toBeGreaterThan(1);
    expect(firstSeq).toBeLessThan(2_500);
    await sweepAll(bench, { framesBefore: 2 });
    expect(await bench.store.readFrames('s_alice', 0, 1, 1)).toEqual({ frames: [], headSeq: 2_500, firstSeq: 2_501 });
  },

  'deletes idle sessions with all their data, and nothing of others': async (bench) => {
    const message = aMessage({ receivedAt: 1_000 });
    await bench.finish(await bench.run(message));
    const bob = { session: aSession('bob'), receivedAt: 5_000 };
    await bench.finish(await bench.run(bob));
    await bench.accept({ session: aSession('waits'), receivedAt: 1_000 });
    await sweepAll(bench, { dedupeBefore: 2_000, sessionsBefore: 2_000 });
    expect(await bench.store.findSession('s_alice')).toBeUndefined();
    expect(await bench.log('s_alice')).toEqual([]);
    expect(await bench.store.listResumable(aClient())).not.toContainEqual(
      expect.objectContaining({ sessionId: 's_alice' }),
    );
    expect(await bench.store.findSession('s_bob')).toBeDefined();
    expect(await bench.log('s_bob')).toHaveLength(1);
    expect(await bench.store.findSession('s_waits')).toBeDefined();
    expect(await bench.store.accept(message, GENEROUS_LIMITS)).toMatchObject({ kind: 'accepted', headSeq: 0 });
  },

  'deletes only the steps of turns that ended long ago': async (bench) => {
    const journal = [{ step: 0, kind: 'answer' as const, body: '{}' }];
    const claims = [];
    for (const [name, receivedAt] of [
      ['old', 1_000],
      ['runs', 1_000],
      ['young', 5_000],
    ] as const) {
      const claim = await bench.run({ session: aSession(name), receivedAt });
      await bench.store.append(claim.lease, { frames: [], journal });
      if (name !== 'runs') await bench.finish(claim);
      claims.push(claim);
    }
    await sweepAll(bench, { dedupeBefore: 2_000 });
    const steps = claims.map(async ({ message }) => (await bench.store.readTurn(message.messageRef)).steps.length);
    expect(await Promise.all(steps)).toEqual([0, 1, 1]);
  },

  '[M-04] remembers accepted ids for the required time, however idle the session': async (bench) => {
    const message = aMessage({ receivedAt: 1_000 });
    await bench.finish(await bench.run(message));
    await sweepAll(bench, { dedupeBefore: 500, sessionsBefore: 2_000 });
    expect(await bench.store.accept(message, GENEROUS_LIMITS)).toMatchObject({ kind: 'duplicate', status: 'done' });
  },

  'never reuses the ref of a deleted message': async (bench) => {
    const claim = await bench.run({ receivedAt: 1_000 });
    await bench.finish(claim);
    await sweepAll(bench, { dedupeBefore: 2_000, sessionsBefore: 2_000 });
    await bench.under.crash();
    expect((await bench.accept()).messageRef).not.toBe(claim.message.messageRef);
  },
};
