import { expect } from 'vitest';
import type { Connection } from '../../../src/core/connections/connection.js';
import { MAX_BUFFERED_BYTES } from '../../../src/core/delivery/frame-reader.js';
import { FrameClient } from '../../support/frame-client.js';

export const TOKEN = 'a-token-of-an-operator';
export const aMessage = (content: string, sender = 'alice') => ({ channel: 'test', sender, content });

/** Asserts that a well-behaved client is served, whatever happened before. */
export async function expectGoodService(port: number, token?: string): Promise<void> {
  const client = await FrameClient.open(port, '', token ? { headers: { authorization: `Bearer ${token}` } } : {});
  const id = client.send('message_in', aMessage('still there?'));
  expect((await client.answerTo(id)).payload).toEqual({ content: 'still there?' });
  await client.close();
}

/** Resolves with whether the peer has stopped reading: several ticks of the event loop change nothing. */
export async function staysFull(connection: Connection): Promise<boolean> {
  const before = connection.bufferedBytes;
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  return before > MAX_BUFFERED_BYTES && connection.bufferedBytes === before;
}
