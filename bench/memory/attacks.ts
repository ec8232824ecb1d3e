/**
 * Attacks on the memory of a gateway. Each goes on until its process is killed, connects again whenever the gateway closes
 * its connection, and never collects more than a few MiB itself.
 */
import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

/** The gateway and the credential of one attacker. */
export interface Target {
  readonly port: number;
  readonly token: string;
}

export type Attack = (target: Target) => Promise<void>;

/** An attacker writes nothing more while it has this many unsent bytes. */
const MAX_UNSENT_BYTES = 4_194_304;
const PAUSE_MS = 20;
const UPLOAD_BYTES = 19_922_944;
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

const frame = (type: string, payload: object, fields: object = {}) =>
  JSON.stringify({ type, id: randomUUID(), timestamp: Date.now(), ...fields, payload });
const message = (fields: object = {}) =>
  frame('message_in', { channel: 'telegram', sender: `person-${randomUUID()}`, content: 'hello', ...fields });

/** Opens a connection. With `reads: false` it takes nothing of what the gateway sends. */
async function open({ port, token }: Target, { reads }: { readonly reads: boolean }): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { authorization: `Bearer ${token}` } });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.on('error', () => {});
  if (!reads) socket.pause();
  return socket;
}

/** Sends frames until the connection ends, `pauseMs` apart. */
async function sendAll(socket: WebSocket, build: () => string | Buffer, pauseMs: number): Promise<void> {
  while (socket.readyState === WebSocket.OPEN) {
    if (socket.bufferedAmount < MAX_UNSENT_BYTES) socket.send(build(), { binary: false });
    await sleep(pauseMs);
  }
}

const sends =
  (build: () => string | Buffer, { reads = true, pauseMs = 1 } = {}): Attack =>
  async (target) =>
    sendAll(await open(target, { reads }), build, pauseMs);

/** Opens bare connections, which write `bytes` and then wait until the gateway closes them. A paused socket cannot see that. */
const waits =
  (connections: number, bytes: (port: number) => string, { reads = true } = {}): Attack =>
  async ({ port }) => {
    const all = Array.from({ length: connections }, () => connect({ port, host: '127.0.0.1' }));
    await Promise.all(all.map((socket) => untilClosed(socket, bytes(port), { reads })));
  };

async function untilClosed(socket: Socket, text: string, { reads }: { readonly reads: boolean }): Promise<void> {
  socket.on('error', () => {});
  if (reads) socket.resume();
  socket.write(text);
  await new Promise((resolve) => socket.once('close', resolve));
}

/** A reader of ten long logs at once, on five connections that take nothing. */
const readLongLogs: Attack = async (target) => {
  const writer = await open(target, { reads: true });
  const sessions = new Set<string>();
  writer.on('message', (bytes: Buffer) => {
    const { type, session_id: id } = JSON.parse(bytes.toString()) as { type: string; session_id?: string };
    if (type === 'message_ack' && id !== undefined) sessions.add(id);
  });
  for (let i = 0; i < 10; i++) writer.send(message({ content: '/blocks 10000' }));
  await sleep(5_000);
  const positions = [...sessions].map((session_id) => ({ session_id, after_seq: 0 }));
  const resume = () => frame('resume', { sessions: positions });
  const readers = await Promise.all(Array.from({ length: 5 }, () => open(target, { reads: false })));
  await Promise.race(readers.map((reader) => sendAll(reader, resume, 1_000)));
  for (const socket of [writer, ...readers]) socket.terminate();
};

const upload: Attack = async ({ port, token }) => {
  const body = Buffer.concat([PNG], UPLOAD_BYTES);
  const response = await fetch(`http://127.0.0.1:${port}/media`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'image/png' },
    body,
  });
  await response.text();
};

const reconnect: Attack = async (target) => (await open(target, { reads: true })).terminate();

/** Half of a frame of 256 KiB, on eight connections. */
const halfFrames: Attack = async (target) => {
  const sockets = await Promise.all(Array.from({ length: 8 }, () => open(target, { reads: true })));
  const head = Buffer.from('81ff000000000004000000000000', 'hex');
  // The stream below a WebSocket of ws, which sends whole frames only.
  for (const socket of sockets)
    (socket as unknown as { _socket: Socket })._socket.write(Buffer.concat([head], 200_000));
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
};

const unknownSessions = Array.from({ length: 1_000 }, (_, n) => ({
  session_id: `s_${'x'.repeat(200)}_${n}`,
  after_seq: 0,
}));
const keys = Object.fromEntries(Array.from({ length: 3_900 }, (_, n) => [`key_number_${n}`, n]));

export const attacks: Readonly<Record<string, Attack>> = {
  'large frames for a slow handler': sends(() => frame('resume', { sessions: unknownSessions }), { reads: false }),
  'logs that are not read': readLongLogs,
  'half of a request': waits(
    10,
    (port) => `POST /media HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Half: ${'x'.repeat(8_000)}`,
  ),
  'requests whose answers are not read': waits(
    5,
    (port) => `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`.repeat(400),
    { reads: false },
  ),
  uploads: upload,
  'a new session for each message': sends(message),
  'many keys': sends(() => message({ metadata: keys })),
  'invalid JSON': sends(() => '{"type":"message_in","payload":{'),
  'invalid UTF-8': sends(() => Buffer.alloc(1_000, 0xff)),
  'a new person for each presence': sends(() =>
    frame('presence', { channel: 'telegram', user_id: randomUUID(), status: 'typing' }),
  ),
  'a new channel for each status': sends(() =>
    frame('channel_status', { channel: `c-${randomUUID()}`, connected: true }),
  ),
  'long texts': sends(() => message({ content: '\u0001'.repeat(60_000) }), { pauseMs: 50 }),
  'long replies that are not read': sends(() => message({ content: '/blocks 10000' }), {
    reads: false,
    pauseMs: 1_000,
  }),
  reconnects: reconnect,
  'half of a frame': halfFrames,
};

/** Repeats an attack until the process ends, whatever the gateway does about it. */
export async function repeat(attack: Attack, target: Target): Promise<never> {
  for (;;) {
    await attack(target).catch(() => {});
    await sleep(PAUSE_MS);
  }
}
