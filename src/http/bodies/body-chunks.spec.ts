import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { readChunks } from './body-chunks.js';

it('a body that is given up, for whatever reason, leaves its connection to the next request', async () => {
  const respond = async (incoming: IncomingMessage, response: ServerResponse) => {
    try {
      for await (const chunk of readChunks(incoming)) if (chunk.length > 1) throw new Error('the disk is full');
      response.end('read');
    } catch {
      response.writeHead(503).end();
    }
  };
  const server = createServer((incoming, response) => void respond(incoming, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { port } = server.address() as AddressInfo;
  const send = async (bytes: number) => {
    const sent = request({ port, host: '127.0.0.1', method: 'POST', agent }).end(Buffer.alloc(bytes));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    await once(response.resume(), 'end');
    return [response.statusCode, sent.reusedSocket];
  };
  expect([await send(900_000), await send(1)]).toEqual([
    [503, false],
    [200, true],
  ]);
  agent.destroy();
  server.close();
});
