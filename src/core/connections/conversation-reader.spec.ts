import { expect, it } from 'vitest';
import { NoMetrics } from '../telemetry/metrics.js';
import type { Connection } from './connection.js';
import { ConversationReaderService, MAX_HISTORY_READS } from './conversation-reader.service.js';

it('reads the histories of many clients a few at a time', async () => {
  const reads: (() => void)[] = [];
  const readHistory = () =>
    new Promise((resolve) => reads.push(() => resolve({ messages: [], headSeq: 0, more: false })));
  const router = { getVisible: async () => ({ agent: 'main' }) };
  const services = [{ readHistory }, {}, {}, router, {}, {}, new NoMetrics()] as unknown as ConstructorParameters<
    typeof ConversationReaderService
  >;
  const reader = new ConversationReaderService(...services);
  const client = {} as Pick<Connection, 'principal'>;
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const pages = Array.from({ length: 100 }, () => reader.readHistory(client, 's', 50));
  let most = 0;
  for (let done = 0; done < pages.length; done++) {
    await turn();
    most = Math.max(most, reads.length);
    reads.shift()?.();
  }
  await Promise.all(pages);
  expect(most).toBe(MAX_HISTORY_READS);
});
