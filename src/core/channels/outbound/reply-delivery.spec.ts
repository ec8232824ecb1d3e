import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ReplyBench, REF } from '../../../../test/support/reply-bench.js';
import { ChatLane } from './chat-lane.js';
import type { Part } from '../driver.js';
import { ReplyDelivery } from './reply-delivery.js';
import { ReplyProgress } from './reply-progress.js';

let bench: ReplyBench;
beforeEach(async () => void (bench = await ReplyBench.open()));
afterEach(() => bench.close());

describe('a reply that grows', () => {
  it('appears at once, is edited at the pace of the chat, and ends as it stands', async () => {
    const delivery = bench.deliver(bench.aBlock(0, 'one'));
    await delivery.settle();
    expect(bench.driver.calls).toEqual(['send one']);
    await delivery.take(bench.aBlock(1, 'two'));
    await delivery.take(bench.aBlock(2, 'three'));
    expect(bench.driver.calls).toHaveLength(1);
    await delivery.settle(1_000);
    expect(bench.driver.calls.slice(1)).toEqual(['edit out-1 one\n\ntwo\n\nthree']);
    await delivery.take(bench.aBlock(3, 'four'));
    await delivery.take(bench.anEnd(4));
    await delivery.finish();
    expect([...bench.driver.shown.values()]).toEqual(['one\n\ntwo\n\nthree', 'four']);
    expect(await bench.listParts()).toMatchObject([
      { number: 0, state: 'sent', ref: 'out-1' },
      { number: 1, state: 'sent', ref: 'out-2' },
    ]);
  });

  it('gets a last edit even if nothing changes where the platform shows that it grows', async () => {
    const delivery = bench.deliver(bench.aBlock(0, 'one'));
    await delivery.settle();
    bench.driver.isOpen = (ref) => ref === 'out-1';
    await delivery.take(bench.anEnd(1));
    await delivery.finish();
    expect(bench.driver.calls).toEqual(['send one', 'edit out-1 one']);
    expect(bench.driver.growing).toEqual([true, false]);
  });

  it('grows within a block too', async () => {
    const delivery = bench.deliver(bench.aBlock(0, 'one'));
    await delivery.settle();
    await delivery.takeDelta('tw');
    await delivery.settle(1_000);
    await delivery.takeDelta('o');
    await delivery.settle(1_000);
    await delivery.take(bench.aBlock(1, 'two'));
    await delivery.take(bench.anEnd(2));
    await delivery.finish();
    expect(bench.driver.calls).toEqual(['send one', 'edit out-1 one\n\ntw', 'edit out-1 one\n\ntwo']);
  });

  it('replaces blocks that a restart takes back, and removes messages that are left over', async () => {
    const delivery = bench.deliver(bench.aBlock(0, 'a text of 18 chars'));
    await delivery.take(bench.aBlock(1, 'another of 19 chars'));
    await delivery.settle(2_000);
    expect(bench.driver.shown.size).toBe(2);
    await delivery.take(bench.aRestart(1));
    await delivery.take(bench.aBlock(0, 'short'));
    await delivery.take(bench.anEnd(1));
    await delivery.finish();
    expect([...bench.driver.shown.entries()]).toEqual([['out-1', 'short']]);
  });

  it('makes a dash of what is left over where messages cannot be deleted', async () => {
    bench.driver.remove = undefined;
    const delivery = bench.deliver(bench.aBlock(0, 'a text of 18 chars'));
    await delivery.take(bench.aBlock(1, 'another of 19 chars'));
    await delivery.settle(2_000);
    await delivery.take(bench.aRestart(1));
    await delivery.take(bench.aBlock(0, 'short'));
    await delivery.take(bench.anEnd(1));
    await delivery.finish();
    expect([...bench.driver.shown.values()]).toEqual(['short', '–']);
  });

  it('shows its error as a message of its own', async () => {
    const delivery = bench.deliver(bench.aBlock(0, 'half an answer'));
    await delivery.take(
      bench.anEnd(1, { reason: 'error', error: { code: 'AGENT_FAILED', message: 'broke', retryable: false } }),
    );
    await delivery.finish();
    expect([...bench.driver.shown.values()]).toEqual(['half an answer', '⚠ broke']);
  });
});

it('a code block that is longer than a message is a file where the platform takes files', async () => {
  await bench.makeRun({}, { media: { file: 1_000 } });
  const sent: Part[] = [];
  bench.driver.send = async (part) => `out-${sent.push(part)}`;
  const delivery = bench.deliver(bench.aBlock(0, 'before'));
  const payload = {
    index: 1,
    block_id: 'b_1',
    block_type: 'code',
    content: 'x'.repeat(50),
    attempt: 1,
    metadata: { language: 'ts' },
  };
  await delivery.take(bench.frame('stream_block', payload));
  await delivery.take(bench.anEnd(2));
  await delivery.finish();
  expect(sent.map(({ texts }) => texts[0]?.kind)).toEqual(['markdown', 'file']);
  expect(sent[1]?.texts[0]).toMatchObject({
    name: 'code.ts',
    source: expect.stringMatching(/^data:text\/plain;base64,/),
  });
});

it('only the first part of a reply refers to the message', async () => {
  const places: unknown[] = [];
  bench.driver.send = async ({ place }) => `out-${places.push(place)}`;
  const reply = new ReplyProgress(REF, 'id-1', true, bench.clock.now());
  reply.take(bench.aBlock(0, 'a text of 18 chars'));
  reply.take(bench.aBlock(1, 'another of 19 chars'));
  reply.take(bench.anEnd(2));
  await new ReplyDelivery(
    bench.run,
    reply,
    { chat: 'ann', replyTo: '7' },
    new ChatLane(bench.clock, bench.run.signal, 0),
  ).deliver(true);
  expect(places).toEqual([{ chat: 'ann', replyTo: '7' }, { chat: 'ann' }]);
});

describe('where messages cannot be changed', () => {
  it('a block is sent once no restart can take it back', async () => {
    await bench.makeRun({}, { edits: false });
    const delivery = bench.deliver(bench.aBlock(0, 'first'));
    await delivery.settle(5_000);
    expect(bench.driver.calls).toEqual([]);
    await delivery.take(bench.aRestart(1));
    await delivery.take(bench.aBlock(0, 'second'));
    await delivery.take(bench.frame('tool_status', { call_id: 'c', tool: 'test.look', status: 'requested' }));
    expect(bench.driver.calls).toEqual(['send second']);
    await delivery.take(bench.aBlock(1, 'third'));
    await delivery.settle(5_000);
    expect(bench.driver.calls).toHaveLength(1);
    await delivery.take(bench.anEnd(2));
    await delivery.finish();
    expect(bench.driver.calls).toEqual(['send second', 'send third']);
  });

  it('tool calls are shown when the settings say so', async () => {
    const call = JSON.stringify({ call_id: 'c', tool: 'test.look', parameters: {} });
    for (const [show_tools, texts] of [
      [false, ['done']],
      [true, ['test.look …', 'done']],
    ] as const) {
      await bench.makeRun({ show_tools }, { edits: false });
      const before = bench.driver.calls.length;
      const delivery = bench.deliver(bench.aBlock(0, call, 'tool_call'));
      await delivery.take(bench.aBlock(1, '{}', 'tool_result'));
      await delivery.take(bench.aBlock(2, 'done'));
      await delivery.take(bench.anEnd(3));
      await delivery.finish();
      expect(bench.driver.calls.slice(before)).toEqual(texts.map((text) => `send ${text}`));
      await bench.store.writePart(bench.run.lease, bench.aPart({ state: 'waiting' }));
    }
  });
});
