import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { GatewayClient } from '../../src/client/index.js';
import { Transcript } from '../../src/client/transcript.js';
import { GatewayApp } from '../support/gateway-app.js';

let folder: string;
let path: string;
let gateway: GatewayApp;
const start = async (port = 0) => {
  gateway = await GatewayApp.start({ settings: { 'store.url': `sqlite:${path}` }, port });
};
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'restored-'));
  path = join(folder, 'gateway.db');
  await start();
});
afterEach(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

const HELLO = { channel: 'test', sender: 'alice', content: '/blocks 1' };
/** Sends a message as `alice` and returns the frame that ends it. */
async function say(id: string) {
  const client = await gateway.connect('writer');
  client.send('message_in', HELLO, { id });
  const ack = await client.next('message_ack');
  await client.next('stream_end');
  await client.close();
  return { ref: ack.payload['message_ref'] as string, sessionId: ack.session_id ?? '' };
}

/** Stops the gateway, lets `change` work on its file, and starts it again. */
async function restart(change: () => void): Promise<void> {
  const { port } = gateway;
  await gateway.close();
  change();
  await start(port);
}

it('[S-13] a client that has read on is not resumed in the log of a copy that was put back', async () => {
  const first = await say('one');
  await restart(() => copyFileSync(path, `${path}.copy`));

  const client = new GatewayClient({ url: gateway.url, clientId: 'reader' });
  const { server } = await client.connect();
  const transcript = new Transcript(first.sessionId);
  client.on('frame', (frame, isLive) => transcript.take(frame, isLive));
  await transcript.load(client);
  const lost = await say('lost');
  await expect
    .poll(() => transcript.messages.map(({ id, phase }) => `${id} ${phase}`))
    .toEqual(['one ended', 'lost ended']);

  await restart(() => copyFileSync(`${path}.copy`, path));
  const others = [await say('other-1'), await say('other-2')];
  expect(others.map(({ ref }) => ref)).not.toContain(lost.ref);
  const ids = () => transcript.messages.map(({ id, ref, phase }) => `${id} ${ref} ${phase}`);
  const expected = [`one ${first.ref} ended`, `other-1 ${others[0]!.ref} ended`, `other-2 ${others[1]!.ref} ended`];
  await expect.poll(ids).toEqual(expected);
  const live = await say('live');
  await expect.poll(ids).toEqual([...expected, `live ${live.ref} ended`]);
  expect((await client.connect()).server.epoch).not.toBe(server.epoch);
  client.close();

  const old = await gateway.connect('old');
  old.send('resume', { sessions: [{ session_id: first.sessionId, after_seq: 4, epoch: server.epoch }] });
  expect((await old.next('error')).payload).toMatchObject({ code: 'STALE_RESUME' });
});
