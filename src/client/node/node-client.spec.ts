import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeSockets, type FakeSocket } from '../../testing/fake-socket.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { CommandError, NodeMedia, type NodeCommandSetup } from './commands.js';
import { FolderNodeStorage } from './folder-storage.js';
import { pairNode } from './identity.js';
import { NodeClient } from './node-client.js';
import { MemoryNodeStorage, StorageInUseError, type NodeStorage } from './storage.js';

let clock: ManualClock;
let sockets: FakeSockets;
let storage: NodeStorage;
let uploads: { address: string; size: number }[];
let uploadStatus: number;
/** The next upload fails before it reaches the gateway. */
let failsOnce = false;
const folder = mkdtempSync(join(tmpdir(), 'node-client-'));

/** How often each call has started. */
let starts: Map<string, number>;
let running: Map<string, PromiseWithResolvers<unknown>>;

const TOKEN = { value: 'a-token-of-a-node-0123', nodeId: 'lamp-1' };

const COMMAND: NodeCommandSetup = {
  name: 'lamp.set',
  description: 'Sets the lamp.',
  parameters: { type: 'object' },
  run(_parameters, { callId, signal }) {
    starts.set(callId, (starts.get(callId) ?? 0) + 1);
    const ended = Promise.withResolvers<unknown>();
    running.set(callId, ended);
    signal.addEventListener('abort', () => ended.reject(signal.reason as Error));
    return ended.promise;
  },
};

beforeEach(() => {
  clock = new ManualClock();
  sockets = new FakeSockets();
  storage = new MemoryNodeStorage();
  uploads = [];
  uploadStatus = 201;
  starts = new Map();
  running = new Map();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const settled = () => clock.advanceAsync(0);
const ofType = (socket: FakeSocket, type: string) => socket.sentOf(type);

async function makeClient(commands = [COMMAND]): Promise<NodeClient> {
  const client = await NodeClient.open({
    url: 'https://gateway.example',
    storage,
    commands,
    token: TOKEN,
    WebSocket: sockets.WebSocket,
    timers: { now: () => clock.now(), setTimer: (ms, run) => clock.setTimer(ms, run), random: () => 1 },
    fetch: async (address, init) => {
      if (failsOnce) {
        failsOnce = false;
        throw new TypeError('fetch failed');
      }
      uploads.push({ address: address as string, size: (init?.body as Uint8Array).byteLength });
      const body = uploadStatus === 201 ? { media_id: 'f_1', mime_type: 'image/png', size_bytes: 1 } : { detail: 'no' };
      return Response.json(body, { status: uploadStatus });
    },
  });
  if (!client) throw new Error('the node is not paired');
  client.connect();
  await settled();
  return client;
}

/** Lets the newest socket connect and register. */
async function register(socket = sockets.last): Promise<FakeSocket> {
  socket.deliverConnected();
  socket.deliver({ type: 'node_registered', payload: { accepted: ['lamp.set'], waiting: [], refused: [] } });
  await settled();
  return socket;
}

/** Drops the connection and lets the client come back. */
async function reconnect(): Promise<FakeSocket> {
  sockets.last.drop();
  await clock.advanceAsync(500);
  return register();
}

async function call(socket: FakeSocket, callId = 'c1', changes: object = {}): Promise<void> {
  const payload = { call_id: callId, command: 'lamp.set', parameters: {}, timeout_ms: 30_000, idempotent: false };
  socket.deliver({ type: 'tool_call', session_id: 's1', payload: { ...payload, ...changes } });
  await settled();
}

async function finish(callId: string, content: unknown): Promise<void> {
  running.get(callId)?.resolve(content);
  await settled();
}

const results = (socket: FakeSocket) => ofType(socket, 'tool_result').map(({ payload }) => payload);

describe('NodeClient', () => {
  it('registers its commands on each connection', async () => {
    await makeClient();
    const socket = await register();
    expect(ofType(socket, 'node_register')[0]?.payload).toMatchObject({
      node_id: 'lamp-1',
      commands: [{ name: 'lamp.set', description: 'Sets the lamp.' }],
    });
    expect(ofType(await reconnect(), 'node_register')).toHaveLength(1);
  });

  it('[F-09] starts a call once, however often it gets it, and sends its result until it is acknowledged', async () => {
    await makeClient();
    const first = await register();
    await call(first);
    await call(first);
    const second = await reconnect();
    await call(second);
    expect(starts).toEqual(new Map([['c1', 1]]));
    await finish('c1', { on: true });
    expect(results(second)).toEqual([{ call_id: 'c1', ok: true, content: { on: true } }]);
    const third = await reconnect();
    expect(results(third)).toHaveLength(1);
    third.deliver({ type: 'tool_result_ack', payload: { call_id: 'c1' } });
    const fourth = await reconnect();
    expect(results(fourth)).toEqual([]);
    // Also after the acknowledgement: the gateway may run on an older copy of its store.
    await call(fourth);
    expect(results(fourth)).toHaveLength(1);
    expect(starts.get('c1')).toBe(1);
  });

  it('[F-09] [F-10] answers UNKNOWN for a call that ran when its program ended, and runs an idempotent one again', async () => {
    // As if its process had died: nothing holds the folder.
    storage = Object.assign(new FolderNodeStorage(folder), { lock: undefined });
    await makeClient();
    const socket = await register();
    await call(socket, 'plain');
    await call(socket, 'again', { idempotent: true });
    await expect.poll(() => starts.size).toBe(2);
    await makeClient();
    const after = await register();
    await expect
      .poll(() => results(after))
      .toMatchObject([{ call_id: 'plain', ok: false, error: { code: 'UNKNOWN' } }]);
    await call(after, 'again', { idempotent: true });
    await call(after, 'plain');
    await expect.poll(() => starts.get('again')).toBe(2);
    expect(starts.get('plain')).toBe(1);
  });

  it('ends a call at its time limit and when it is cancelled, and says so', async () => {
    await makeClient([{ ...COMMAND, run: () => new Promise(() => {}) }]);
    const socket = await register();
    await call(socket, 'slow', { timeout_ms: 5_000 });
    await call(socket, 'cancelled');
    socket.deliver({ type: 'tool_cancel', payload: { call_id: 'cancelled' } });
    await clock.advanceAsync(5_000);
    expect(results(socket)).toMatchObject([
      { call_id: 'cancelled', error: { code: 'CANCELLED' } },
      { call_id: 'slow', error: { code: 'TIMEOUT' } },
    ]);
  });

  it('sends the code of a failure', async () => {
    const run = () => {
      throw new CommandError('PERMISSION_DENIED', 'the camera is not allowed');
    };
    await makeClient([{ ...COMMAND, run }]);
    const socket = await register();
    await call(socket);
    await call(socket, 'c2', { command: 'unknown' });
    expect(results(socket)).toMatchObject([
      { error: { code: 'PERMISSION_DENIED', message: 'the camera is not allowed' } },
      { error: { code: 'NOT_FOUND' } },
    ]);
  });

  it('[F-13] uploads what is binary or too large for a frame, and says when it is too large for that', async () => {
    await makeClient();
    const socket = await register();
    await call(socket, 'picture');
    await finish('picture', new NodeMedia(new Uint8Array(400_000)));
    await call(socket, 'text');
    await finish('text', 'x'.repeat(400_000));
    expect(uploads.map(({ address }) => address)).toEqual([
      'https://gateway.example/media?call_id=picture',
      'https://gateway.example/media?call_id=text',
    ]);
    expect(results(socket)).toMatchObject([
      { call_id: 'picture', ok: true, content: { media_id: 'f_1' } },
      { call_id: 'text', ok: true, content: { media_id: 'f_1' } },
    ]);
    uploadStatus = 413;
    await call(socket, 'huge');
    await finish('huge', new NodeMedia(new Uint8Array(10)));
    expect(results(socket).at(-1)).toMatchObject({ call_id: 'huge', ok: false, error: { code: 'RESULT_TOO_LARGE' } });
  });

  it('[F-13] uploads once more when a connection has failed', async () => {
    await makeClient();
    const socket = await register();
    failsOnce = true;
    await call(socket, 'picture');
    await finish('picture', new NodeMedia(new Uint8Array(10)));
    expect(uploads).toHaveLength(1);
    expect(results(socket)).toMatchObject([{ call_id: 'picture', ok: true, content: { media_id: 'f_1' } }]);
  });

  it('[F-13] never sends a result again that has closed the connection by its size, and sends the others', async () => {
    await makeClient();
    const socket = await register();
    for (const [callId, size] of [
      ['small', 10],
      ['large', 100_000],
    ] as const) {
      await call(socket, callId);
      await finish(callId, 'x'.repeat(size));
    }
    socket.drop(1009, 'Frame too big');
    await clock.advanceAsync(60_000);
    const after = await register();
    const sent = results(after);
    expect(sent.map(({ call_id, ok }) => [call_id, ok])).toEqual([
      ['small', true],
      ['large', false],
    ]);
  });

  it('[F-12] keeps events until they are acknowledged, and sends them in order after a restart too', async () => {
    storage = new FolderNodeStorage(folder);
    const client = await makeClient();
    await client.emit('door.opened', { n: 1 });
    await client.emit('door.opened', { n: 2 });
    const events = (socket: FakeSocket) => ofType(socket, 'node_event').map(({ payload }) => payload);
    const first = await register();
    expect(events(first)).toMatchObject([{ data: { n: 1 } }]);
    client.close();
    await makeClient();
    const second = await register();
    expect(events(second)).toEqual(events(first));
    second.deliver({ type: 'node_event_ack', payload: { event_id: events(first)[0]?.['event_id'] } });
    expect(events(second).map(({ data }) => data)).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('sends a refused event again when the gateway has room', async () => {
    const client = await makeClient();
    const socket = await register();
    await client.emit('door.opened');
    const payload = { code: 'RATE_LIMITED', message: 'slow down', retryable: true, retry_after_ms: 500 };
    socket.deliver({ type: 'error', correlation_id: socket.sentOf('node_event')[0]?.id, payload });
    await clock.advanceAsync(500);
    expect(ofType(socket, 'node_event')).toHaveLength(2);
  });

  it('[F-09] sends a result again that the gateway cannot store now, and replaces one that it never takes', async () => {
    await makeClient();
    const socket = await register();
    await call(socket);
    await finish('c1', 'done');
    const refuse = (code: string, changes: object) => {
      const payload = { code, message: 'no', ...changes };
      socket.deliver({ type: 'error', correlation_id: socket.sentOf('tool_result').at(-1)?.id, payload });
    };
    refuse('STORE_UNAVAILABLE', { retryable: true, retry_after_ms: 500 });
    await clock.advanceAsync(500);
    expect(results(socket).map(({ ok }) => ok)).toEqual([true, true]);
    refuse('INVALID_FRAME', { retryable: false });
    await settled();
    expect(results(socket).at(-1)).toMatchObject({ call_id: 'c1', ok: false, error: { code: 'RESULT_REFUSED' } });
  });

  it('[F-04] takes over the clock of the gateway once, and stops at every other 4001', async () => {
    const client = await makeClient();
    sockets.last.drop(4001, 'The clock of this node is 300 s behind');
    await clock.advanceAsync(0);
    expect(sockets.opened).toHaveLength(2);
    sockets.last.drop(4001, 'The clock of this node is 300 s behind');
    await clock.advanceAsync(600_000);
    expect(sockets.opened).toHaveLength(2);
    expect(client.state).toMatchObject({ name: 'ended', error: { code: 4001 } });
  });

  it('waits for a minute when another machine with its key has replaced it, and goes on', async () => {
    const client = await makeClient();
    const socket = await register();
    socket.drop(4010, 'Replaced');
    await clock.advanceAsync(59_000);
    expect(client.state).toMatchObject({ name: 'waiting', loss: { code: 4010 } });
    expect(sockets.opened).toHaveLength(1);
    await clock.advanceAsync(3_000);
    expect(sockets.opened).toHaveLength(2);
  });

  it('tries again with pauses of up to a minute', async () => {
    const client = await makeClient();
    const pauses: number[] = [];
    client.on('state', (state) => {
      if (state.name === 'waiting') pauses.push(state.retryInMs);
    });
    for (let n = 0; n < 9; n++) {
      sockets.last.drop();
      await clock.advanceAsync(pauses.at(-1) ?? 0);
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });
});

describe('FolderNodeStorage', () => {
  it('keeps values over processes, in files that only its user can read', async () => {
    const keeper = new FolderNodeStorage(folder);
    await keeper.write('call:../../x', { n: 1 });
    await keeper.write('event:1', 2);
    const next = new FolderNodeStorage(folder);
    expect(await next.read('call:../../x')).toEqual({ n: 1 });
    expect(await next.list('call:')).toEqual([{ n: 1 }]);
    expect(await next.read('nothing')).toBeUndefined();
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
    await next.remove('event:1');
    expect(await next.list('')).toEqual([{ n: 1 }]);
  });

  it('[F-09] is of one program at a time, which could not know the calls that another one has started', async () => {
    storage = new FolderNodeStorage(folder);
    const client = await makeClient();
    const other = new FolderNodeStorage(folder);
    const open = () => NodeClient.open({ url: 'http://gateway', storage: other, commands: [], token: TOKEN });
    await expect(open()).rejects.toThrow(new StorageInUseError(`another program uses the folder ${folder}`));
    const request = { url: 'http://gateway', code: 'K7M2P-9QX4T', name: 'Twin', storage: other };
    await expect(pairNode(request)).rejects.toThrow('another program uses the folder');
    client.close();
    const list = other.list.bind(other);
    other.list = () => Promise.reject(new Error('the disk is broken'));
    await expect(open()).rejects.toThrow('the disk is broken');
    other.list = list;
    expect((await open())?.nodeId).toBe(TOKEN.nodeId);
  });
});
