import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sendBody } from './send-body.js';

const server = createServer();
let answer: (response: ServerResponse) => Promise<void>;
beforeEach(async () => {
  server.removeAllListeners('request').on('request', (_, response) => void answer(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function ask(): ReturnType<typeof request> {
  const { port } = server.address() as AddressInfo;
  return request({ port, host: '127.0.0.1' })
    .on('error', () => {})
    .end();
}

/** A body that holds something until it ends. */
function aBody(chunks: number): { readonly body: Readable; readonly released: Promise<void> } {
  const { promise: released, resolve } = Promise.withResolvers<void>();
  async function* write() {
    try {
      for (let n = 0; n < chunks; n++) yield Buffer.alloc(65_536);
    } finally {
      resolve();
    }
  }
  const source = write();
  return { body: Readable.from(source), released };
}

describe('a body', () => {
  it('reaches a client that reads', async () => {
    const { body, released } = aBody(3);
    answer = (response) => sendBody(response, body);
    const [response] = (await once(ask(), 'response')) as [IncomingMessage];
    expect(Buffer.concat(await response.toArray())).toHaveLength(3 * 65_536);
    await released;
  });

  it.each(['before it begins', 'in its middle'])('is released when the client leaves %s', async (when) => {
    const { body, released } = aBody(10_000);
    const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
    answer = async (response) => {
      if (when === 'before it begins') {
        client.destroy();
        // What it holds is taken before the response begins, as the copy of a store is.
        await Promise.all([once(response, 'close'), once(body, 'readable')]);
      }
      await sendBody(response, body).then(resolve, reject);
    };
    const client = ask();
    client.on('response', (response: IncomingMessage) => response.once('data', () => client.destroy()));
    await ended;
    await released;
  });

  it('that fails is no client that leaves', async () => {
    const { promise: failed, resolve } = Promise.withResolvers<unknown>();
    const body = new Readable({
      read() {
        this.destroy(new Error('unreadable'));
      },
    });
    answer = (response) => sendBody(response, body).catch(resolve);
    ask();
    expect(await failed).toMatchObject({ message: 'unreadable' });
  });
});
