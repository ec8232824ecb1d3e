import { afterEach, describe, expect, it } from 'vitest';
import { ConversationReaderService } from '../core/connections/conversation-reader.service.js';
import type { HistoryEntry } from '../core/connections/history-page.js';
import { RefusalsService } from '../core/connections/refusals.service.js';
import { LOCAL_OPERATOR } from '../core/identity/principal.js';
import { SilentLogs } from '../core/telemetry/logs.js';
import { NoMetrics } from '../core/telemetry/metrics.js';
import { MAX_CONTENT_LENGTH } from '../protocol/constants.js';
import type { Attachment, HistoryResultPayload } from '../protocol/index.js';
import { CoreHarness } from '../testing/core-harness.js';
import { aPayload } from '../testing/factories.js';
import { FakeReader } from '../testing/fake-reader.js';
import { HistoryFrame, MAX_HISTORY_BYTES } from './event-frames.js';

let harness: CoreHarness;
afterEach(() => harness.stop());

/** Sends messages and returns a function that reads the history as the wire does. */
async function setUp(contents: readonly string[], attachments: readonly Partial<Attachment>[] = []) {
  harness = await new CoreHarness().start();
  let sessionId = '';
  for (const [i, content] of contents.entries()) {
    const attached = attachments.map((each) => ({ kind: 'file', mime_type: 'text/plain', ...each }) as const);
    const payload = aPayload({ content, attachments: attached });
    ({ sessionId } = await harness.say(new FakeReader(), `m${i}`, content, { payload, isAddressed: false }));
  }
  const { store, router, delivery } = harness;
  const refusals = new RefusalsService(new NoMetrics(), new SilentLogs());
  const reader = new ConversationReaderService(store, store, store, router, delivery, refusals, new NoMetrics());
  const portions: number[] = [];
  const { readHistory } = store;
  store.readHistory = (id, limit, before) => {
    portions.push(limit);
    return readHistory.call(store, id, limit, before);
  };
  const read = async (limit: number, before?: string) => {
    const frame = new HistoryFrame();
    const takes = (entry: HistoryEntry) => frame.take(entry);
    const text = frame.encode(
      await reader.readHistory({ principal: LOCAL_OPERATOR }, sessionId, limit, before, takes),
      'h',
    );
    return { bytes: Buffer.byteLength(text), ...(JSON.parse(text) as { payload: HistoryResultPayload }).payload };
  };
  return { read, portions };
}

describe('a history frame', () => {
  it('[N-08] has at most 1 MiB, and what does not fit is read with next_before', async () => {
    const contents = Array.from({ length: 12 }, (_, i) => `${i}`.padEnd(40_000, '\u0001'));
    const { read } = await setUp(contents);
    const seen: string[] = [];
    let before: string | undefined;
    let pages = 0;
    do {
      const page = await read(200, before);
      expect(page.bytes).toBeLessThanOrEqual(MAX_HISTORY_BYTES);
      seen.unshift(...page.messages.map(({ content }) => content));
      before = page.next_before;
      pages++;
    } while (before !== undefined);
    expect(seen).toEqual(contents);
    expect(pages).toBe(3);
  });

  it('[N-08] reads portions, and no more than was asked for', async () => {
    const { read, portions } = await setUp(Array.from({ length: 25 }, (_, i) => `${i}`));
    const page = await read(22);
    expect(page.messages.map(({ content }) => content)).toEqual(Array.from({ length: 22 }, (_, i) => `${i + 3}`));
    expect(portions).toEqual([10, 10, 2]);
    expect((await read(200, page.next_before)).messages.map(({ content }) => content)).toEqual(['0', '1', '2']);
    expect((await read(25)).next_before).toBeUndefined();
  });

  it('[N-08] cuts a single message that is larger', async () => {
    const { read } = await setUp(['large'], [{ data: 'a'.repeat(2 * MAX_HISTORY_BYTES) }]);
    const page = await read(1);
    expect(page.bytes).toBeLessThan(MAX_HISTORY_BYTES);
    expect(page.messages).toMatchObject([{ content: 'large', attachments: [{ mime_type: 'text/plain' }] }]);
  });

  it('[N-08] shows the longest text without attachments whose addresses are too long', async () => {
    const longest = '\u0001'.repeat(MAX_CONTENT_LENGTH);
    const attachments = Array.from({ length: 32 }, () => ({ url: '\u20ac'.repeat(8_192) }));
    const { read } = await setUp(['first', longest], attachments);
    const page = await read(1);
    expect(page.bytes).toBeLessThan(MAX_HISTORY_BYTES);
    expect(page.messages).toMatchObject([{ content: longest, attachments: [] }]);
    expect(page.next_before).toBe(page.messages[0]?.message_ref);
  });
});
