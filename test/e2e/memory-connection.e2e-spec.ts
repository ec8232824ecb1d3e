import { afterEach, describe, expect, it } from 'vitest';
import type { ConnectionEvent } from '../../src/core/connections/connection.js';
import type { MemoryConnection } from '../../src/core/connections/memory-connection.js';
import { MemoryConnectionsService } from '../../src/core/connections/memory-connections.service.js';
import { LOCAL_OPERATOR } from '../../src/core/identity/principal.js';
import type { CancelTarget } from '../../src/core/intake/message-intake.service.js';
import { encodeDurableFrame } from '../../src/protocol/encode.js';
import { encodeEvent } from '../../src/websocket/event-frames.js';
import type { SeenFrame } from '../support/frame-client.js';
import { GatewayApp } from '../support/gateway-app.js';

/** A client that sends the same requests over any connection. Each call resolves with the frames up to the one that fits. */
interface Client {
  send(id: string, content: string, changes?: object): void;
  cancel(id: string, messageId: string): void;
  react(id: string, messageId: string): void;
  resume(id: string, sessionId: string, seq: number): void;
  history(id: string, sessionId: string, limit: number): void;
  confirm(id: string, sessionId: string, seq: number): void;
  decide(id: string, approvalId: string): void;
  updatePresence(id: string, status: 'typing'): void;
  reportChannel(id: string, status: 'connected'): void;
  frames: readonly SeenFrame[];
  until(fits: (frame: SeenFrame) => boolean): Promise<void>;
  end(): void;
}

const HASH = '0'.repeat(64);

const apps: GatewayApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function startApp(): Promise<GatewayApp> {
  const app = await GatewayApp.start({ settings: { 'gateway.heartbeat_interval_ms': 60_000 } });
  apps.push(app);
  return app;
}

const aPayload = (content: string, changes: object = {}) => ({ channel: 'test', sender: 'alice', content, ...changes });

async function connectSocket(app: GatewayApp): Promise<Client> {
  const client = await app.connect('client', app.localToken, '&stream=delta');
  const frames: SeenFrame[] = [];
  return {
    frames,
    send: (id, content, changes) => void client.send('message_in', aPayload(content, changes), { id }),
    cancel: (id, message_id) => void client.send('cancel', { message_id }, { id }),
    react: (id, message_id) =>
      void client.send(
        'reaction',
        { channel: 'test', sender: 'alice', message_id, emoji: '🦞', action: 'added' },
        { id },
      ),
    resume: (id, session_id, after_seq) =>
      void client.send('resume', { sessions: [{ session_id, after_seq }] }, { id }),
    history: (id, sessionId, limit) => void client.send('history', { limit }, { id, session_id: sessionId }),
    confirm: (id, session_id, seq) => void client.send('delivered', { session_id, seq }, { id }),
    decide: (id, approval_id) =>
      void client.send('approval', { approval_id, decision: 'allow', arguments_sha256: HASH }, { id }),
    updatePresence: (id, status) => void client.send('presence', { channel: 'test', user_id: 'alice', status }, { id }),
    reportChannel: (id, status) => void client.send('channel_status', { channel: 'test', status }, { id }),
    async until(fits) {
      for (;;) {
        const frame = await client.next(() => true);
        frames.push(frame);
        if (fits(frame)) return;
      }
    },
    end: () => client.socket.close(),
  };
}

function connectMemory(app: GatewayApp): Client {
  const frames: SeenFrame[] = [];
  const waiting: (() => void)[] = [];
  let read = 0;
  const connection: MemoryConnection = app.app.get(MemoryConnectionsService, { strict: false }).open({
    principal: LOCAL_OPERATOR,
    clientId: 'client',
    wantsDeltas: true,
    take(event) {
      frames.push(...toFrames(event));
      for (const wake of waiting.splice(0)) wake();
    },
  });
  return {
    frames,
    send: (id, content, changes) => connection.submit({ id, payload: aPayload(content, changes) }),
    cancel: (id, messageId) => connection.cancel(id, { by: 'id', messageId } satisfies CancelTarget),
    react: (id, messageId) =>
      void connection.react(id, { channel: 'test', sender: 'alice', messageId, emoji: '🦞', action: 'added' }),
    resume: (id, sessionId, seq) => connection.resume(id, [{ sessionId, seq }]),
    history: (id, sessionId, limit) => connection.readHistory(id, sessionId, limit),
    confirm: (id, sessionId, seq) => connection.confirm(id, sessionId, seq),
    decide: (id, approvalId) => connection.decide(id, { approvalId, decision: 'allow', argumentsSha256: HASH }),
    updatePresence: (id, status) => connection.updatePresence(id, { channel: 'test', userId: 'alice', status }),
    reportChannel: (id, status) => connection.reportChannel(id, { channel: 'test', status }),
    async until(fits) {
      for (;;) {
        while (read < frames.length) if (fits(frames[read++]!)) return;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    end: () => connection.end(),
  };
}

/** The frames of `openclaw.v1` that an event becomes. */
function toFrames(event: ConnectionEvent): SeenFrame[] {
  const texts = event.kind === 'frames' ? event.frames.map(encodeDurableFrame) : [encodeEvent(event) as string];
  return texts.map((text) => JSON.parse(text) as SeenFrame);
}

/** One conversation with everything that a driver does: replies with deltas, a tool, a repeat, refusals, a cancel, a resume. */
async function converse(client: Client): Promise<readonly SeenFrame[]> {
  const answers = (id: string) => (frame: SeenFrame) => frame.correlation_id === id && frame.type === 'error';
  const ends = (id: string) => (frame: SeenFrame) => frame.type === 'stream_end' && frame.payload['id'] === id;
  client.send('m1', 'hello');
  await client.until(ends('m1'));
  client.send('m2', '/blocks 40');
  await client.until(ends('m2'));
  client.send('m1', 'hello');
  await client.until((frame) => frame.type === 'message_ack');
  client.send('m1', 'another body under the same id');
  await client.until(answers('m1'));
  client.send('m3', '');
  await client.until(answers('m3'));
  client.react('r1', 'm1');
  client.react('r2', 'unknown');
  await client.until(answers('r2'));
  client.cancel('c1', 'unknown');
  await client.until(answers('c1'));
  client.send('m4', '/blocks 2 60000');
  await client.until((frame) => frame.type === 'stream_block');
  client.cancel('c2', 'm4');
  await client.until(ends('m4'));
  client.send('m5', 'to a group', { group_id: 'g' });
  await client.until((frame) => frame.type === 'message_ack');
  client.resume('r3', client.frames[0]!.session_id!, 30);
  await client.until(ends('m4'));
  client.resume('r4', client.frames[0]!.session_id!, 1_000);
  await client.until(answers('r4'));
  const session = client.frames[0]!.session_id!;
  client.updatePresence('p1', 'typing');
  client.reportChannel('s1', 'connected');
  client.confirm('d1', session, 1_000);
  await client.until(answers('d1'));
  client.decide('a1', 'unknown');
  await client.until(answers('a1'));
  client.history('h1', session, 2);
  await client.until((frame) => frame.type === 'history');
  client.history('h2', 'unknown', 2);
  await client.until(answers('h2'));
  client.end();
  return client.frames;
}

/** The frames that the client can rely on in one order, and the deltas, which come as early as they can. */
interface Heard {
  readonly frames: unknown;
  readonly deltas: unknown;
}

/**
 * Replaces values that differ between any two runs by the order of their first appearance: the ids of frames that no log keeps, times,
 * and message refs, which are random for each store (with the block ids that are made of them). Deltas are listed apart,
 * since they do not wait for commits: how many come before the block of an earlier one depends on the disk.
 */
function normalise(frames: readonly SeenFrame[]): Heard {
  const refs = frames.flatMap(({ payload }) => (payload['message_ref'] as string | undefined) ?? []);
  let text = JSON.stringify(
    frames.map((frame) => ({ ...frame, id: frame.seq === undefined ? 'g' : frame.id, timestamp: 0 })),
  );
  text = text.replaceAll(/"(sent_at|ended_at)":\d+/g, '"$1":0');
  for (const [i, ref] of [...new Set(refs)].entries()) text = text.replaceAll(ref, `ref ${i}`);
  const all = JSON.parse(text) as SeenFrame[];
  const isDelta = ({ type }: SeenFrame) => type === 'stream_delta';
  return { frames: all.filter((frame) => !isDelta(frame)), deltas: all.filter(isDelta) };
}

/** Blocks of which a delta came after the block itself. */
function findLateDeltas(frames: readonly SeenFrame[]): unknown[] {
  const complete = new Set<unknown>();
  return frames.filter(({ type, payload }) => {
    if (type === 'stream_block') complete.add(payload['block_id']);
    return type === 'stream_delta' && complete.has(payload['block_id']);
  });
}

describe('a connection inside the process', () => {
  it('[T-51] gets the same frames, event for event, as the same conversation over a socket', async () => {
    const overSocket = await converse(await connectSocket(await startApp()));
    const inMemory = await converse(connectMemory(await startApp()));
    expect(normalise(inMemory)).toEqual(normalise(overSocket));
    expect([findLateDeltas(inMemory), findLateDeltas(overSocket)]).toEqual([[], []]);
    expect(new Set(overSocket.map(({ type }) => type))).toEqual(
      new Set(['message_ack', 'stream_delta', 'stream_block', 'stream_end', 'error', 'resumed', 'history']),
    );
  });

  it('[T-51] is notified of the stop and then closed, as a socket is', async () => {
    const app = await startApp();
    const kinds: string[] = [];
    const { promise: closed, resolve } = Promise.withResolvers<string>();
    app.app.get(MemoryConnectionsService, { strict: false }).open({
      principal: LOCAL_OPERATOR,
      clientId: 'driver',
      take: (event) => void kinds.push(event.kind),
      onClose: resolve,
    });
    await apps.splice(0)[0]!.close();
    expect(await closed).toBe('restarting');
    expect(kinds).toEqual(['goingAway']);
  });
});
