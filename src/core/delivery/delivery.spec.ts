import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CoreHarness } from '../../testing/core-harness.js';
import { aSession } from '../../testing/factories.js';
import { FakeReader } from '../../testing/fake-reader.js';
import { GatewayError } from '../../protocol/domain.js';
import type { DurableFrame } from '../store/index.js';
import { MIN_SUBSCRIPTIONS } from './delivery.service.js';
import { MAX_BUFFERED_BYTES } from './frame-reader.js';

let harness: CoreHarness;
beforeEach(async () => void (harness = await new CoreHarness().start()));
afterEach(() => harness.stop());

/** Runs a message that logs `blocks` blocks and an end. Resolves with its session. */
async function makeLog(blocks: number): Promise<string> {
  const reader = new FakeReader();
  const { sessionId } = await harness.say(reader, `log of ${blocks}`, `/blocks ${blocks}`);
  await reader.waitForEnd(`log of ${blocks}`);
  harness.delivery.removeReader(reader);
  return sessionId;
}

const upTo = (n: number, from = 1) => Array.from({ length: n - from + 1 }, (_, i) => from + i);

describe('resume', () => {
  it('[S-04] sends `resumed`, then exactly the frames after after_seq, then live ones', async () => {
    const sessionId = await makeLog(3);
    const reader = new FakeReader();
    await harness.delivery.resume(reader, { sessionId, seq: 2 }, 'r');
    await reader.waitFor((frame) => frame.seq === 4);
    await harness.say(new FakeReader(), 'b', '/blocks 2');
    await reader.waitForEnd('b');
    expect(reader.frames[0]).toMatchObject({
      type: 'resumed',
      correlation_id: 'r',
      payload: { from_seq: 3, head_seq: 4, complete: true },
    });
    expect(reader.seqs).toEqual(upTo(7, 3));
  });

  it('[S-04] has no gaps and no duplicates while frames are written', async () => {
    const sessionId = await makeLog(50);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 51 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 4 }),
        async (after, blocks, delay) => {
          const reader = new FakeReader();
          const id = crypto.randomUUID();
          const writing = harness.say(new FakeReader(), id, `/blocks ${blocks}`);
          for (let i = 0; i < delay; i++) await new Promise((resolve) => setImmediate(resolve));
          await harness.delivery.resume(reader, { sessionId, seq: after }, 'r');
          await writing;
          const end = await reader.waitForEnd(id);
          expect(reader.seqs).toEqual(upTo(end.seq ?? 0, after + 1));
          harness.delivery.removeReader(reader);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('[S-04] with a lower after_seq sends frames again', async () => {
    const sessionId = await makeLog(3);
    const reader = new FakeReader();
    await harness.delivery.resume(reader, { sessionId, seq: 4 }, 'r');
    await harness.delivery.resume(reader, { sessionId, seq: 1 }, 'r');
    await reader.waitFor((frame) => frame.seq === 4);
    expect(reader.seqs).toEqual([2, 3, 4]);
  });

  it('[S-05] beyond the head is refused as stale', async () => {
    const sessionId = await makeLog(1);
    const resumed = harness.delivery.resume(new FakeReader(), { sessionId, seq: 9 }, 'r');
    await expect(resumed).rejects.toMatchObject({ code: 'STALE_RESUME', details: { after_seq: 9, head_seq: 2 } });
  });

  it('[S-13] under an epoch in which this log had no such frame is refused as stale', async () => {
    const sessionId = await makeLog(1);
    const resume = (seq: number, epoch: string) =>
      harness.delivery.resume(new FakeReader(), { sessionId, seq, epoch }, 'r');
    await resume(2, harness.store.logEpoch);
    await resume(0, 'of another log');
    await expect(resume(2, 'of another log')).rejects.toMatchObject({ code: 'STALE_RESUME' });
  });

  it('[S-06] says which frames retention has deleted', async () => {
    const sessionId = await makeLog(3);
    harness.clock.advance(1_000);
    const now = harness.clock.now();
    while (await harness.store.sweep({ framesBefore: now, dedupeBefore: 0, sessionsBefore: undefined }));
    await harness.say(new FakeReader(), 'b', '/blocks 1');
    const reader = new FakeReader();
    await harness.delivery.resume(reader, { sessionId, seq: 1 }, 'r');
    await reader.waitForEnd('b');
    expect(reader.frames[0]?.payload).toMatchObject({ from_seq: 5, complete: false });
    expect(reader.seqs).toEqual([5, 6]);
  });
});

describe('a reader that is slow', () => {
  async function fill(reader: FakeReader): Promise<string> {
    const { sessionId } = await harness.say(reader, 'a', '/blocks 1');
    await reader.waitForEnd('a');
    reader.isSlow = true;
    reader.bufferedBytes = MAX_BUFFERED_BYTES;
    return sessionId;
  }

  it('[N-14] is sent nothing live above its own allowance', async () => {
    const reader = new FakeReader();
    await fill(reader);
    reader.bufferedBytes = 100_000;
    await harness.say(reader, 'b', '/blocks 1');
    await reader.waitForEnd('b');
    reader.maxBufferedBytes = 100_000;
    const [before, quick] = [reader.seqs.length, new FakeReader()];
    await harness.say(quick, 'c', '/blocks 1');
    await quick.waitForEnd('c');
    expect(reader.seqs.length).toBe(before);
    reader.drain();
    await reader.waitForEnd('c');
  });

  it('[S-08] gets nothing while its buffer is full, does not slow others, and gets everything later in order', async () => {
    const [slow, quick] = [new FakeReader(), new FakeReader()];
    const sessionId = await fill(slow);
    harness.delivery.subscribe(quick, sessionId, 2);
    await harness.say(quick, 'b', '/blocks 300');
    await quick.waitForEnd('b');
    expect(slow.seqs).toEqual([1, 2]);
    slow.isSlow = false;
    slow.drain();
    await slow.waitForEnd('b');
    expect(slow.seqs).toEqual(upTo(303));
  });

  it('[S-09] is closed with 4013 when it reads nothing for a minute', async () => {
    const [slow, quick] = [new FakeReader(), new FakeReader()];
    await fill(slow);
    await harness.say(quick, 'b', '/blocks 1');
    await quick.waitForEnd('b');
    await harness.clock.advanceAsync(59_000);
    expect(slow.closedWith).toBeUndefined();
    await harness.clock.advanceAsync(1_000);
    expect(slow.closedWith).toBe('slowReader');
    expect(harness.metrics.read('openclaw_slow_readers_total')).toBe(1);
  });

  it('[S-09] stays open as long as it reads something', async () => {
    const [slow, quick] = [new FakeReader(), new FakeReader()];
    await fill(slow);
    await harness.say(quick, 'b', '/blocks 1');
    await quick.waitForEnd('b');
    for (let minute = 0; minute < 3; minute++) {
      slow.bufferedBytes -= 1;
      await harness.clock.advanceAsync(60_000);
    }
    expect(slow.closedWith).toBeUndefined();
  });

  it('[S-03] gets no deltas meanwhile', async () => {
    const slow = new FakeReader(true);
    await fill(slow);
    const before = slow.frames.length;
    const quick = new FakeReader();
    await harness.say(quick, 'b', 'some text');
    await quick.waitForEnd('b');
    expect(slow.frames.length).toBe(before);
  });
});

describe('readers of very many sessions', () => {
  const LIMIT = 45_000;
  beforeEach(async () => {
    await harness.stop();
    harness = await new CoreHarness({ settings: { 'limits.sessions_read': LIMIT } }).start();
  });

  /** Lets a reader read as many sessions as it may. Returns their number. */
  function fill(reader: FakeReader): number {
    for (let n = 0; ; n++) {
      try {
        harness.delivery.checkRoom(reader);
      } catch {
        return n;
      }
      harness.delivery.subscribe(reader, `s_${reader.id}_${n}`, 0);
    }
  }

  it('[N-15] are refused one more, and keep those that they have', async () => {
    const sessionId = await makeLog(1);
    const reader = new FakeReader();
    await harness.delivery.resume(reader, { sessionId, seq: 2 }, 'the first one');
    expect(fill(reader)).toBe(LIMIT / 3 - 1);
    const more = harness.delivery.resume(reader, { sessionId: 's_more', seq: 0 }, 'one more');
    await expect(more).rejects.toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    await harness.delivery.resume(reader, { sessionId, seq: 2 }, 'again');
    expect(() => harness.delivery.checkRoom(reader)).toThrow('15000 sessions');
  });

  it('[N-15] leave half to other tenants, and each may read some', async () => {
    const first = Array.from({ length: 2 }, () => fill(new FakeReader()));
    expect(first).toEqual([LIMIT / 3, MIN_SUBSCRIPTIONS]);
    const other = new FakeReader();
    other.principal = { tenant: 'other' };
    const room = fill(other);
    expect(room).toBeGreaterThan(MIN_SUBSCRIPTIONS);
    harness.delivery.removeReader(other);
    expect(fill(Object.assign(new FakeReader(), { principal: { tenant: 'other' } }))).toBe(room);
  });
});

describe('a reader whose position is looked up', () => {
  it('[S-15] gets what was committed before, also if nothing follows', async () => {
    const reader = new FakeReader();
    const sessionId = await makeLog(3);
    harness.delivery.subscribeFrom(reader, sessionId, async () => ({ seq: 1, headSeq: 4 }));
    await reader.waitFor((frame) => frame.seq === 4);
    expect(reader.seqs).toEqual([2, 3, 4]);
  });

  it('[S-15] gets what was committed meanwhile once, in order', async () => {
    const reader = new FakeReader();
    const looking = Promise.withResolvers<{ seq: number; headSeq: number }>();
    const sessionId = await makeLog(3);
    harness.delivery.subscribeFrom(reader, sessionId, () => looking.promise);
    await harness.say(reader, 'b', '/blocks 2');
    const other = new FakeReader();
    harness.delivery.subscribe(other, sessionId, 4);
    await other.waitForEnd('b');
    expect(reader.seqs).toEqual([]);
    looking.resolve({ seq: 2, headSeq: 4 });
    await reader.waitForEnd('b');
    expect(reader.seqs).toEqual(upTo(7, 3));
  });

  it('[S-15] gets nothing while its buffer is full, and everything later in order', async () => {
    const sessionId = await makeLog(2);
    const [slow, quick] = [new FakeReader(), new FakeReader()];
    slow.isSlow = true;
    slow.bufferedBytes = MAX_BUFFERED_BYTES;
    harness.delivery.subscribeFrom(slow, sessionId, async () => ({ seq: 0, headSeq: 3 }));
    await harness.say(quick, 'b', '/blocks 300');
    await quick.waitForEnd('b');
    expect(slow.seqs).toEqual([]);
    slow.isSlow = false;
    slow.drain();
    await slow.waitForEnd('b');
    expect(slow.seqs).toEqual(upTo(304));
  });

  it('[S-15] is closed when it reads too many sessions, to read on in another connection', async () => {
    await harness.stop();
    harness = await new CoreHarness({ settings: { 'limits.sessions_read': 1 } }).start();
    const reader = new FakeReader();
    for (let n = 0; n < MIN_SUBSCRIPTIONS; n++) harness.delivery.subscribe(reader, `s_${n}`, 0);
    harness.delivery.subscribeFrom(reader, 's_1', () => Promise.reject(new Error('it is read already')));
    expect(reader.closedWith).toBeUndefined();
    harness.delivery.subscribeFrom(reader, 's_more', () => Promise.reject(new Error('there is no room')));
    expect(reader.closedWith).toBe('restarting');
  });
});

describe('a reader of a store whose snapshots lag behind', () => {
  it('[D-16] gets every frame once, also when a page shows a newer head than its rows', async () => {
    const sessionId = await makeLog(3);
    const { readFrames } = harness.store;
    const lagging = [
      { frames: [], headSeq: 4, firstSeq: 1 },
      { frames: [], headSeq: 1, firstSeq: 1 },
    ];
    harness.store.readFrames = async (...all) => {
      const isPage = all[2] > 1;
      return (isPage ? lagging.shift() : undefined) ?? readFrames.apply(harness.store, all);
    };
    const reader = new FakeReader();
    await harness.delivery.resume(reader, { sessionId, seq: 1 }, 'r');
    await harness.clock.advanceAsync(2_000);
    await reader.waitFor((frame) => frame.seq === 4);
    expect([reader.seqs, lagging]).toEqual([[2, 3, 4], []]);
  });
});

describe('a reader of many sessions that is slow', () => {
  it('[N-06] has one page on its way at a time, whatever it reads', async () => {
    const writer = new FakeReader();
    const sessionIds: string[] = [];
    for (let i = 0; i < 20; i++) {
      const { sessionId } = await harness.say(writer, `m${i}`, `/blocks 1`, { session: aSession(`p${i}`) });
      await writer.waitForEnd(`m${i}`);
      sessionIds.push(sessionId);
    }
    const slow = new FakeReader();
    slow.isSlow = true;
    slow.bufferedBytes = MAX_BUFFERED_BYTES;
    for (const sessionId of sessionIds) harness.delivery.subscribe(slow, sessionId, 0);
    await harness.clock.advanceAsync(0);
    const { send } = slow;
    slow.send = (event) => {
      send.call(slow, event);
      slow.bufferedBytes = MAX_BUFFERED_BYTES;
    };
    for (let pages = 1; pages <= 20; pages++) {
      slow.drain();
      await harness.clock.advanceAsync(0);
      expect(new Set(slow.frames.map((frame) => frame.session_id)).size).toBe(pages);
    }
  });
});

describe('the readers of one session', () => {
  it('[S-02] get a burst in their order, except those that a reader before them has removed', async () => {
    const sessionId = await makeLog(1);
    const order: string[] = [];
    const readers = ['ann', 'bob', 'cem', 'dan', 'eve'].map((name) => {
      const reader = new FakeReader();
      reader.send = () => void order.push(name);
      harness.delivery.subscribe(reader, sessionId, 2);
      return reader;
    });
    const [, bob, cem, dan] = readers;
    bob!.send = () => {
      order.push('bob');
      for (const gone of [bob!, cem!, dan!]) harness.delivery.removeReader(gone);
    };
    harness.delivery.publish([{ sessionId, seq: 3 } as DurableFrame]);
    harness.delivery.publish([{ sessionId, seq: 4 } as DurableFrame]);
    expect(order).toEqual(['ann', 'bob', 'eve', 'ann', 'eve']);
    expect(harness.delivery.countReaders(sessionId)).toBe(2);
  });
});

describe('a reader', () => {
  it('[S-02] gets only the frames of its sessions, for messages of any sender', async () => {
    const [ann, bob] = [new FakeReader(), new FakeReader()];
    const session = aSession('ann');
    await harness.say(ann, 'a', '/blocks 1', { session });
    await harness.say(bob, 'b', '/blocks 1', { session: aSession('bob') });
    await Promise.all([ann.waitForEnd('a'), bob.waitForEnd('b')]);
    expect(ann.frames.every((frame) => frame.session_id === session.id)).toBe(true);
    harness.delivery.removeReader(ann);
    const before = ann.frames.length;
    await harness.say(bob, 'c', '/blocks 1', { session });
    await bob.waitForEnd('c');
    expect(ann.frames.length).toBe(before);
  });

  it('that has gone is not subscribed by a commit that it no longer waits for', async () => {
    const gone = new FakeReader();
    const sessionId = await makeLog(1);
    harness.delivery.removeReader(gone);
    harness.delivery.subscribe(gone, sessionId, 0);
    await harness.delivery.resume(gone, { sessionId, seq: 0 }, 'r');
    const other = new FakeReader();
    await harness.say(other, 'b', '/blocks 1');
    await other.waitForEnd('b');
    expect(gone.frames).toEqual([]);
  });

  it('[S-08] that is behind continues when the store is back', async () => {
    const sessionId = await makeLog(2);
    const reader = new FakeReader();
    const read = harness.store.readFrames.bind(harness.store);
    let failures = 0;
    harness.store.readFrames = (...call) =>
      ++failures === 2 ? Promise.reject(new GatewayError('STORE_UNAVAILABLE', {})) : read(...call);
    await harness.delivery.resume(reader, { sessionId, seq: 0 }, 'r');
    while (reader.seqs.length < 3) await harness.clock.advanceAsync(1_000);
    expect(reader.seqs).toEqual([1, 2, 3]);
  });
});
