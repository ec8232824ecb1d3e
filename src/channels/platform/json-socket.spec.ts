import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { JsonSocket } from './json-socket.js';

const PERIOD_MS = 15_000;

let clock: ManualClock;
let server: WebSocketServer;
let received: unknown[];

beforeEach(async () => {
  clock = new ManualClock();
  received = [];
  server = new WebSocketServer({ host: '127.0.0.1', port: 0, autoPong: false });
  await once(server, 'listening');
});
afterEach(() => {
  for (const peer of server.clients) peer.terminate();
  server.close();
});

/** Opens a connection. Resolves with it, and with the side of the platform. */
async function open(): Promise<{ readonly socket: JsonSocket; readonly peer: WebSocket }> {
  const messages = received;
  const receive = (message: unknown) => void messages.push(message);
  const { port } = server.address() as AddressInfo;
  const connected = once(server, 'connection');
  const log = new SilentLogs().for();
  const socket = new JsonSocket(`ws://127.0.0.1:${port}`, { clock, log, maxPayload: 1_000, receive });
  const [peer] = (await connected) as [WebSocket];
  peer.send('{"type":"hello"}');
  await expect.poll(() => received).toEqual([{ type: 'hello' }]);
  return { socket, peer };
}

it('a message that is not JSON is handed over as undefined', async () => {
  const { peer } = await open();
  peer.send('{"type":');
  await expect.poll(() => received).toEqual([{ type: 'hello' }, undefined]);
});

it('a connection that the platform does not accept within 20 s is ended', async () => {
  const { socket } = await open();
  clock.advance(20_001);
  expect(await socket.closed).toBe(1006);
});

it('a connection goes on while each ping is answered, and is ended when one is not', async () => {
  const { socket, peer } = await open();
  // Only this connection counts: those of earlier tests may end meanwhile.
  let isClosed = false;
  void socket.closed.then(() => (isClosed = true));
  socket.noteReady();
  socket.keepAlive(PERIOD_MS);
  for (let n = 0; n < 2; n++) {
    const pinged = once(peer, 'ping');
    clock.advance(PERIOD_MS);
    await pinged;
    const noted = received.length;
    peer.pong();
    peer.send('{}');
    await expect.poll(() => received.length).toBe(noted + 1);
  }
  expect(isClosed).toBe(false);
  clock.advance(PERIOD_MS);
  clock.advance(PERIOD_MS);
  expect(await socket.closed).toBe(1006);
});
