import { beforeEach, describe, expect, it } from 'vitest';
import { FakeSockets, type FakeSocket } from '../testing/fake-socket.js';
import { ManualClock } from '../testing/manual-clock.js';
import { GatewayClient, type GatewayClientOptions } from './client.js';
import { ConnectionEndedError, WithdrawnError } from './errors.js';
import { GatewayError } from '../protocol/errors.js';
import type { Reply } from './reply.js';
import type { ReplyEvent } from './reply-events.js';

const HELLO = { channel: 'test', sender: 'alice', content: 'hello' };

let clock: ManualClock;
let sockets: FakeSockets;
let client: GatewayClient;

beforeEach(() => {
  clock = new ManualClock();
  sockets = new FakeSockets();
  client = makeClient();
});

function makeClient(changes: Partial<GatewayClientOptions> = {}): GatewayClient {
  const timers = {
    now: () => clock.now(),
    setTimer: (ms: number, run: () => void) => clock.setTimer(ms, run),
    random: () => 1,
  };
  return new GatewayClient({
    url: 'http://127.0.0.1:18789',
    clientId: 'client-1',
    WebSocket: sockets.WebSocket,
    timers,
    ...changes,
  });
}

function connect(on = client): FakeSocket {
  void on.connect();
  sockets.last.deliverConnected();
  return sockets.last;
}

/** Cuts the connection and lets the client connect again. */
function reconnect(): FakeSocket {
  sockets.last.drop();
  clock.advance(500);
  sockets.last.deliverConnected();
  return sockets.last;
}

function acknowledge(socket: FakeSocket, id: string, ref: string, changes: object = {}): void {
  const payload = { id, message_ref: ref, status: 'queued', mode: 'main', priority: 1, position: 0, ...changes };
  socket.deliver({ type: 'message_ack', session_id: 's1', correlation_id: id, payload });
}

/** Sends a message that the gateway accepts at once under the ref `m-ID`. */
function sendAccepted(socket: FakeSocket, id: string): Reply {
  const reply = client.send(HELLO, { id });
  acknowledge(socket, id, `m-${id}`);
  return reply;
}

function block(id: string, seq: number, index: number, content = `block ${index}`) {
  const payload = {
    message_id: id,
    message_ref: `m-${id}`,
    attempt: 1,
    index,
    block_id: `${id}-${seq}`,
    block_type: 'text',
    content,
  };
  return { type: 'stream_block', session_id: 's1', seq, correlation_id: id, payload };
}

function delta(id: string, blockId: string, text: string) {
  const payload = { message_id: id, message_ref: `m-${id}`, block_id: blockId, block_type: 'text', delta: text };
  return { type: 'stream_delta', session_id: 's1', payload };
}

function restart(id: string, seq: number, replacesFromSeq: number) {
  const payload = { message_id: id, message_ref: `m-${id}`, attempt: 2, replaces_from_seq: replacesFromSeq };
  return { type: 'stream_restart', session_id: 's1', seq, correlation_id: id, payload };
}

function end(id: string, seq: number, changes: object = {}) {
  const payload = { id, message_ref: `m-${id}`, reason: 'stop', blocks: 3, ...changes };
  return { type: 'stream_end', session_id: 's1', seq, correlation_id: id, payload };
}

function resumed(fromSeq: number, headSeq: number, changes: object = {}) {
  const payload = { session_id: 's1', from_seq: fromSeq, head_seq: headSeq, complete: true, ...changes };
  return { type: 'resumed', session_id: 's1', payload };
}

function refusal(id: string, code: string, changes: object = {}) {
  return {
    type: 'error',
    correlation_id: id,
    payload: { code, message: `refused: ${code}`, retryable: false, ...changes },
  };
}

async function readAll(reply: Reply): Promise<ReplyEvent[]> {
  const events: ReplyEvent[] = [];
  for await (const event of reply) events.push(event);
  return events;
}

async function contents(reply: Reply): Promise<string[]> {
  return (await reply.blocks()).map(({ content }) => content);
}

describe('the handshake', () => {
  it('[K-01] carries the token as a subprotocol and the client id in the query', () => {
    connect(makeClient({ token: 'a-token-of-sixteen', stream: 'delta', presence: true }));

    expect(sockets.last.url).toBe('ws://127.0.0.1:18789/?client_id=client-1&stream=delta&subscribe=presence');
    expect(sockets.last.protocols).toEqual(['openclaw.v1', 'openclaw.bearer.a-token-of-sixteen']);
  });

  it('refuses a token that a subprotocol cannot carry, without repeating it', () => {
    expect(() => makeClient({ token: 'with a space in the middle' })).toThrow(/A token must match/);
    expect(() => makeClient({ token: 'with a space in the middle' })).not.toThrow(/space/);
  });

  it('[K-01] makes up a client id that stays the same for each attempt', () => {
    connect(makeClient({ clientId: undefined as never }));
    const { url } = sockets.last;

    expect(url).toMatch(/client_id=[0-9a-f]{32}$/);
    reconnect();
    expect(sockets.last.url).toBe(url);
  });

  it('resolves connect() with the first frame and tells each state', async () => {
    const states: string[] = [];
    client.on('state', ({ name }) => states.push(name));
    const connecting = client.connect();
    sockets.last.deliverConnected({ role: 'operator' });

    expect(await connecting).toMatchObject({ role: 'operator' });
    expect(states).toEqual(['connecting', 'connected']);
  });

  it('gives up on a gateway that opens the socket and says nothing', () => {
    void client.connect();
    clock.advance(10_000);

    expect(sockets.last.isClosed).toBe(true);
    expect(client.state).toMatchObject({ name: 'waiting', retryInMs: 500 });
  });
});

describe('a reply', () => {
  it('[K-02] is the events of its own message, in order, to its end', async () => {
    const socket = connect();
    const reply = sendAccepted(socket, 'a');
    const other = sendAccepted(socket, 'b');
    for (const frame of [
      block('a', 1, 0),
      block('a', 2, 1),
      end('a', 3, { blocks: 2 }),
      block('b', 4, 0),
      end('b', 5),
    ]) {
      socket.deliver(frame);
    }

    expect((await readAll(reply)).map((event) => event.type)).toEqual(['block', 'block', 'end']);
    expect(await reply.acknowledged).toEqual({ message_ref: 'm-a', session_id: 's1', status: 'queued', position: 0 });
    expect(await contents(other)).toEqual(['block 0']);
  });

  it('tells how tool calls go', async () => {
    const socket = connect();
    const reply = sendAccepted(socket, 'a');
    const payload = { message_id: 'a', message_ref: 'm-a', call_id: 'c1', tool: 'time.now', status: 'running' };
    socket.deliver({ type: 'tool_status', session_id: 's1', seq: 1, payload });
    socket.deliver(end('a', 2));

    expect((await readAll(reply))[0]).toEqual({ type: 'tool', ...payload });
  });

  it('ends without an event when the message was only observed', async () => {
    const socket = connect();
    const reply = client.send(HELLO, { id: 'a' });
    acknowledge(socket, 'a', 'm-a', { status: 'observed' });

    expect(await readAll(reply)).toEqual([]);
    expect(await reply.ended).toBeUndefined();
  });

  it('[K-10] drops the blocks that a restart replaces', async () => {
    const socket = connect();
    const reply = sendAccepted(socket, 'a');
    const events = reply[Symbol.asyncIterator]();
    socket.deliver(block('a', 1, 0));
    socket.deliver(block('a', 2, 1, 'half'));
    await events.next();
    await events.next();
    for (const frame of [restart('a', 3, 2), block('a', 4, 1, 'whole'), end('a', 5)]) socket.deliver(frame);

    expect((await events.next()).value).toEqual({ type: 'restart', keep: 1 });
    expect(await contents(reply)).toEqual(['block 0', 'whole']);
  });

  it('that nobody reads keeps no more than what stands', async () => {
    const socket = connect();
    const reply = sendAccepted(socket, 'a');
    for (let i = 0; i < 100; i++) socket.deliver(delta('a', 'a-1', 'x'));
    socket.deliver(block('a', 1, 0, 'x'.repeat(100)));
    socket.deliver(block('a', 2, 1));
    socket.deliver(restart('a', 3, 2));
    for (let i = 0; i < 100; i++) socket.deliver(delta('a', 'a-4', 'y'));
    socket.deliver(end('a', 4));

    expect((await readAll(reply)).map((event) => event.type)).toEqual(['block', 'restart', 'end']);
  });

  it('joins the deltas that nobody has read yet', async () => {
    const socket = connect();
    const reply = sendAccepted(socket, 'a');
    for (const text of ['one ', 'two ', 'three']) socket.deliver(delta('a', 'a-1', text));
    const first = await reply[Symbol.asyncIterator]().next();

    expect(first.value).toEqual({ type: 'delta', block_id: 'a-1', block_type: 'text', delta: 'one two three' });
  });

  it('grows one block at a time, though deltas overtake the blocks that have to be stored first', async () => {
    const socket = connect();
    const events = sendAccepted(socket, 'a')[Symbol.asyncIterator]();
    for (const frame of [delta('a', 'a-1', 'one'), delta('a', 'a-2', 'tw'), delta('a', 'a-2', 'o')])
      socket.deliver(frame);
    expect((await events.next()).value).toMatchObject({ type: 'delta', delta: 'one' });
    const next = events.next();
    socket.deliver(block('a', 1, 0, 'one'));

    expect((await next).value).toMatchObject({ type: 'block', index: 0 });
    expect((await events.next()).value).toMatchObject({ type: 'delta', delta: 'two' });
  });

  it('[K-02] throws the error of its message and leaves the connection open', async () => {
    const socket = connect();
    const reply = client.send(HELLO, { id: 'a' });
    socket.deliver(refusal('a', 'FORBIDDEN', { details: { reason: 'not yours' } }));

    await expect(reply.acknowledged).rejects.toMatchObject({ code: 'FORBIDDEN', message: 'refused: FORBIDDEN' });
    await expect(readAll(reply)).rejects.toBeInstanceOf(GatewayError);
    expect(client.state.name).toBe('connected');
  });

  it('that ended with an error throws it from blocks(), and tells it as its end', async () => {
    const socket = connect();
    const reply = sendAccepted(socket, 'a');
    socket.deliver(end('a', 1, { reason: 'error', error: { code: 'AGENT_FAILED', message: 'no', retryable: false } }));

    await expect(reply.blocks()).rejects.toMatchObject({ code: 'AGENT_FAILED' });
    expect(await readAll(reply)).toMatchObject([{ type: 'end', reason: 'error' }]);
  });

  it('can be read by one reader only', () => {
    const reply = client.send(HELLO);
    void reply[Symbol.asyncIterator]();

    expect(() => reply[Symbol.asyncIterator]()).toThrow(TypeError);
  });
});

describe('cancelling', () => {
  it('[K-09] takes a message back that has not left', async () => {
    const reply = client.send(HELLO, { id: 'a' });
    reply.cancel();

    await expect(readAll(reply)).rejects.toBeInstanceOf(WithdrawnError);
    expect(connect().sentOf('message_in')).toEqual([]);
  });

  it('asks the gateway once it is known to have the message', () => {
    const socket = connect();
    const reply = client.send(HELLO, { id: 'a' });
    reply.cancel();
    expect(socket.sentOf('cancel')).toEqual([]);

    acknowledge(socket, 'a', 'm-a');
    expect(socket.sentOf('cancel').map((frame) => frame.payload)).toEqual([{ message_ref: 'm-a' }]);
  });

  it('[K-09] follows an abort signal, and is asked again after a reconnect', () => {
    const socket = connect();
    const abort = new AbortController();
    client.send(HELLO, { id: 'a', signal: abort.signal });
    acknowledge(socket, 'a', 'm-a');
    abort.abort();

    expect(socket.sentOf('cancel')).toHaveLength(1);
    expect(reconnect().sentOf('cancel')).toHaveLength(1);
  });

  it('never sends a message whose signal was aborted before', async () => {
    const socket = connect();
    const reply = client.send(HELLO, { signal: AbortSignal.abort() });

    await expect(reply.acknowledged).rejects.toBeInstanceOf(WithdrawnError);
    expect(socket.sent).toEqual([]);
  });
});

describe('after a lost connection', () => {
  it('[K-03] resumes each session at exactly the last seq it has seen', async () => {
    const socket = connect();
    const reply = sendAccepted(socket, 'a');
    socket.deliver(block('a', 7, 0));
    socket.deliver(block('a', 8, 1));
    const next = reconnect();

    expect(next.sentOf('resume').map((frame) => frame.payload)).toEqual([
      { sessions: [{ session_id: 's1', after_seq: 8 }] },
    ]);
    next.deliver(resumed(9, 10));
    next.deliver(block('a', 9, 2));
    next.deliver(end('a', 10));
    expect(await contents(reply)).toEqual(['block 0', 'block 1', 'block 2']);
  });

  it('[K-04] sends a message that was not acknowledged again, as it was and under its id', () => {
    const first = connect();
    client.send(HELLO, { id: 'a' });
    const second = reconnect();

    expect(second.sentOf('message_in')).toEqual(first.sentOf('message_in'));
    acknowledge(second, 'a', 'm-a');
    expect(reconnect().sentOf('message_in')).toEqual([]);
  });

  it('reads the fate of a repeated message from the history and goes on from there', async () => {
    connect();
    const reply = client.send(HELLO, { id: 'a' });
    const socket = reconnect();
    acknowledge(socket, 'a', 'm-a', { status: 'duplicate' });
    const [question] = socket.sentOf('history');
    expect(question).toMatchObject({ session_id: 's1' });

    const blocks = [{ block_id: 'a-3', block_type: 'text', content: 'block 0' }];
    const messages = [{ message_ref: 'm-a', message_id: 'a', status: 'running', blocks }];
    socket.deliver({
      type: 'history',
      session_id: 's1',
      correlation_id: question!.id,
      payload: { messages, head_seq: 3 },
    });
    await expect.poll(() => socket.sentOf('resume')).toHaveLength(1);
    expect(socket.sentOf('resume')[0]!.payload).toEqual({ sessions: [{ session_id: 's1', after_seq: 3 }] });
    socket.deliver(resumed(4, 4));
    socket.deliver(block('a', 4, 1));
    socket.deliver(end('a', 5));
    expect(await contents(reply)).toEqual(['block 0', 'block 1']);
  });

  it('reads the history as far back as its open replies', async () => {
    connect();
    const reply = client.send(HELLO, { id: 'a' });
    const socket = reconnect();
    acknowledge(socket, 'a', 'm-a', { status: 'duplicate' });
    const first = socket.sentOf('history')[0]!;
    const newer = [{ message_ref: 'm-z', message_id: 'z', status: 'queued', blocks: [] }];
    socket.deliver({
      type: 'history',
      correlation_id: first.id,
      payload: { messages: newer, head_seq: 3, next_before: 'm-z' },
    });
    await expect.poll(() => socket.sentOf('history')).toHaveLength(2);
    const second = socket.sentOf('history')[1]!;
    expect(second.payload).toEqual({ limit: 200, before: 'm-z' });
    const older = [{ message_ref: 'm-a', message_id: 'a', status: 'observed', blocks: [] }];
    socket.deliver({ type: 'history', correlation_id: second.id, payload: { messages: older, head_seq: 9 } });

    expect(await reply.ended).toBeUndefined();
    await expect
      .poll(() => socket.sentOf('resume').at(-1)?.payload)
      .toEqual({ sessions: [{ session_id: 's1', after_seq: 3 }] });
  });

  it('fails a reply that its session no longer knows', async () => {
    connect();
    const reply = client.send(HELLO, { id: 'a' });
    const socket = reconnect();
    acknowledge(socket, 'a', 'm-a', { status: 'duplicate' });
    const question = socket.sentOf('history')[0]!;
    socket.deliver({ type: 'history', correlation_id: question.id, payload: { messages: [], head_seq: 3 } });

    await expect(reply.blocks()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('takes the end of a reply from the history when its frames are past retention', async () => {
    const socket = connect();
    const reply = sendAccepted(socket, 'a');
    socket.deliver(block('a', 1, 0, 'half'));
    const next = reconnect();
    next.deliver(resumed(900, 950, { complete: false }));
    const [question] = next.sentOf('history');
    const blocks = [{ block_id: 'x', block_type: 'text', content: 'whole' }];
    const messages = [
      { message_ref: 'm-a', message_id: 'a', status: 'done', blocks, end: { reason: 'stop', ended_at: 1 } },
    ];
    next.deliver({
      type: 'history',
      session_id: 's1',
      correlation_id: question!.id,
      payload: { messages, head_seq: 950 },
    });

    expect(await contents(reply)).toEqual(['whole']);
    expect(await reply.ended).toMatchObject({ reason: 'stop', blocks: 1 });
    await expect
      .poll(() => next.sentOf('resume').at(-1)?.payload)
      .toEqual({ sessions: [{ session_id: 's1', after_seq: 950 }] });
  });

  it('replaces what the history told when the answer is begun anew', async () => {
    connect();
    const reply = client.send(HELLO, { id: 'a' });
    const socket = reconnect();
    acknowledge(socket, 'a', 'm-a', { status: 'duplicate' });
    const blocks = ['first', 'second', 'third'].map((content, i) => ({
      block_id: `a-${i + 4}`,
      block_type: 'text',
      content,
    }));
    const messages = [{ message_ref: 'm-a', message_id: 'a', status: 'running', blocks }];
    const [question] = socket.sentOf('history');
    socket.deliver({
      type: 'history',
      session_id: 's1',
      correlation_id: question!.id,
      payload: { messages, head_seq: 3 },
    });
    await expect.poll(() => socket.sentOf('resume')).toHaveLength(1);
    socket.deliver(resumed(4, 3));
    for (const frame of [block('a', 4, 0, 'first'), block('a', 5, 1, 'other'), end('a', 6, { blocks: 2 })])
      socket.deliver(frame);

    expect(await contents(reply)).toEqual(['first', 'other']);
  });

  it('shows no deltas of a block whose beginning it may have missed', async () => {
    const socket = connect();
    const reply = sendAccepted(socket, 'a');
    socket.deliver(delta('a', 'a-1', 'Hel'));
    const next = reconnect();
    const messages = [{ message_ref: 'm-a', message_id: 'a', status: 'running', blocks: [] }];
    const [question] = next.sentOf('history');
    next.deliver({
      type: 'history',
      session_id: 's1',
      correlation_id: question!.id,
      payload: { messages, head_seq: 0 },
    });
    await expect.poll(() => next.sentOf('resume')).toHaveLength(1);
    next.deliver(resumed(1, 0));
    next.deliver(delta('a', 'a-1', 'world'));
    next.deliver(block('a', 1, 0, 'Hello, world'));
    next.deliver(delta('a', 'a-2', 'Next'));
    const events: ReplyEvent[] = [];
    for await (const event of reply) {
      events.push(event);
      if (events.length === 2) break;
    }

    expect(events).toMatchObject([{ type: 'block' }, { type: 'delta', delta: 'Next' }]);
  });

  it('asks pending questions again', async () => {
    connect();
    const pong = client.ping();
    const socket = reconnect();
    const [question] = socket.sentOf('ping');
    socket.deliver({ type: 'pong', correlation_id: question!.id, payload: {} });

    await expect(pong).resolves.toBeUndefined();
  });

  it('waits longer after each failure, and starts over once connected', () => {
    connect();
    const waits: number[] = [];
    client.on('state', (state) => state.name === 'waiting' && waits.push(state.retryInMs));
    for (let i = 0; i < 8; i++) {
      sockets.last.drop();
      clock.advance(waits.at(-1) ?? 0);
    }
    sockets.last.deliverConnected();
    sockets.last.drop();

    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 500]);
  });

  it('comes back when the gateway that went away said it should', () => {
    const socket = connect();
    socket.deliver({ type: 'going_away', payload: { reason: 'restart', reconnect_after_ms: 1_234 } });
    socket.drop(1012, 'Gateway restarting');
    clock.advance(1_233);
    expect(sockets.opened).toHaveLength(1);
    clock.advance(1);
    expect(sockets.opened).toHaveLength(2);
  });

  it.each([1001, 1006, 1012, 4009, 4013])('[K-05] connects again after close code %i', (code) => {
    connect().drop(code);
    clock.advance(500);

    expect(sockets.opened).toHaveLength(2);
  });

  it('stays away for as long as its refused frames count against it', () => {
    connect().drop(4008, 'Rate limit ignored');

    expect(client.state).toMatchObject({ name: 'waiting', retryInMs: 10_000 });
  });

  it.each([4001, 4002, 4010, 1002, 1003, 1007, 1009])('[K-05] ends for good with close code %i', async (code) => {
    const socket = connect();
    const running = sendAccepted(socket, 'a');
    const unacknowledged = client.send(HELLO);
    const ping = client.ping();
    socket.drop(code, 'because');
    clock.advance(100_000);

    expect(sockets.opened).toHaveLength(1);
    expect(client.state).toMatchObject({ name: 'ended', error: { code } });
    await expect(readAll(running)).rejects.toBeInstanceOf(ConnectionEndedError);
    await expect(unacknowledged.acknowledged).rejects.toMatchObject({ code, reason: 'because' });
    await expect(ping).rejects.toBeInstanceOf(ConnectionEndedError);
  });

  it('notices a connection that is quietly gone', () => {
    const socket = connect();
    clock.advance(60_000);
    expect(socket.sentOf('ping')).toHaveLength(1);
    clock.advance(30_000);

    expect(socket.isClosed).toBe(true);
    expect(client.state.name).toBe('waiting');
  });

  it('keeps a connection on which anything comes', () => {
    const socket = connect();
    for (let i = 0; i < 10; i++) {
      clock.advance(59_000);
      socket.deliver({ type: 'pong', payload: {} });
    }

    expect(client.state.name).toBe('connected');
  });

  it('stays closed when the program closes it', async () => {
    const socket = connect();
    const reply = sendAccepted(socket, 'a');
    client.close();
    clock.advance(100_000);

    expect(socket.isClosed).toBe(true);
    await expect(reply.ended).rejects.toMatchObject({ code: 1000 });
    expect(sockets.opened).toHaveLength(1);
  });
});

describe('the order of frames', () => {
  it('[K-06] drops a frame that came before', async () => {
    const socket = connect();
    const reply = sendAccepted(socket, 'a');
    for (const frame of [block('a', 1, 0), block('a', 1, 0), block('a', 2, 1), block('a', 1, 0), end('a', 3)])
      socket.deliver(frame);

    expect((await readAll(reply)).map((event) => event.type)).toEqual(['block', 'block', 'end']);
  });

  it('[K-06] fills a gap by a resume', async () => {
    const socket = connect();
    const reply = sendAccepted(socket, 'a');
    socket.deliver(block('a', 1, 0));
    socket.deliver(block('a', 3, 2));
    socket.deliver(end('a', 4));
    const resumes = socket.sentOf('resume').map((frame) => frame.payload);
    expect(resumes).toEqual([{ sessions: [{ session_id: 's1', after_seq: 1 }] }]);

    socket.deliver(resumed(2, 4));
    for (const frame of [block('a', 2, 1), block('a', 3, 2), end('a', 4)]) socket.deliver(frame);
    expect(await contents(reply)).toEqual(['block 0', 'block 1', 'block 2']);
  });

  it('resumes again when the gateway asks it to wait', () => {
    const socket = connect();
    sendAccepted(socket, 'a');
    socket.deliver(block('a', 1, 0));
    socket.deliver(block('a', 3, 2));
    const [request] = socket.sentOf('resume');
    socket.deliver(refusal(request!.id, 'STORE_UNAVAILABLE', { retryable: true, retry_after_ms: 700 }));
    clock.advance(700);

    expect(socket.sentOf('resume').map((frame) => frame.payload)).toEqual([request!.payload, request!.payload]);
  });

  it('starts from the history when the gateway knows less than the client', () => {
    const socket = connect();
    sendAccepted(socket, 'a');
    socket.deliver(block('a', 9, 0));
    const next = reconnect();
    const stale = refusal(next.sentOf('resume')[0]!.id, 'STALE_RESUME', { details: { after_seq: 9, head_seq: 2 } });
    next.deliver({ ...stale, session_id: 's1' });

    expect(next.sentOf('history')).toHaveLength(1);
  });

  it('tells the answers to resume() when all sessions are there', async () => {
    const socket = connect();
    const answers = client.resume([{ session_id: 's1', after_seq: 4 }]);
    socket.deliver(resumed(5, 6));

    expect(await answers).toMatchObject([{ session_id: 's1', from_seq: 5 }]);
  });

  it('rejects resume() of a session that the caller may not see', async () => {
    const socket = connect();
    const answers = client.resume([{ session_id: 's1', after_seq: 4 }]);
    socket.deliver({ ...refusal(socket.sentOf('resume')[0]!.id, 'NOT_FOUND'), session_id: 's1' });

    await expect(answers).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('offers replies that somebody else has asked for', async () => {
    const found: Reply[] = [];
    client.on('reply', (reply) => found.push(reply));
    const socket = connect();
    client.resumeAll();
    expect(socket.sentOf('resume')[0]!.payload).toEqual({ sessions: [] });
    socket.deliver(resumed(1, 2));
    for (const frame of [block('z', 1, 0), block('z', 2, 1), end('z', 3)]) socket.deliver(frame);

    expect(found.map(({ id }) => id)).toEqual(['z']);
    expect(await contents(found[0]!)).toEqual(['block 0', 'block 1']);
  });

  it('gives a reply that is asked for again to both who ask', async () => {
    const found: Reply[] = [];
    client.on('reply', (reply) => found.push(reply));
    const socket = connect();
    client.resumeAll();
    socket.deliver(resumed(1, 1));
    socket.deliver(block('a', 1, 0));
    const again = client.send(HELLO, { id: 'a' });
    acknowledge(socket, 'a', 'm-a', { status: 'duplicate' });
    const blocks = [{ block_id: 'a-1', block_type: 'text', content: 'block 0' }];
    const messages = [{ message_ref: 'm-a', message_id: 'a', status: 'running', blocks }];
    const question = socket.sentOf('history')[0]!;
    socket.deliver({ type: 'history', correlation_id: question.id, payload: { messages, head_seq: 1 } });
    await expect.poll(() => socket.sentOf('resume')).toHaveLength(2);
    socket.deliver(resumed(2, 1));
    socket.deliver(block('a', 2, 1));
    socket.deliver(end('a', 3));

    expect(await contents(found[0]!)).toEqual(['block 0', 'block 1']);
    expect(await contents(again)).toEqual(['block 0', 'block 1']);
  });

  it('refuses to send an id a second time before the first is acknowledged', () => {
    client.send(HELLO, { id: 'a' });

    expect(() => client.send(HELLO, { id: 'a' })).toThrow(TypeError);
  });
});

describe('refusals for now', () => {
  const wait = { retryable: true, retry_after_ms: 1_000 };

  it.each(['RATE_LIMITED', 'DRAINING', 'STORE_UNAVAILABLE', 'QUEUE_FULL'])(
    '[K-07] sends again under the same id after %s',
    (code) => {
      const socket = connect();
      client.send(HELLO, { id: 'a' });
      socket.deliver(refusal('a', code, wait));
      clock.advance(999);
      expect(socket.sentOf('message_in')).toHaveLength(1);
      clock.advance(1);

      expect(socket.sentOf('message_in').map(({ id }) => id)).toEqual(['a', 'a']);
    },
  );

  it('[K-07] holds everything back while the client is over its rate', () => {
    const socket = connect();
    client.send(HELLO, { id: 'a' });
    socket.deliver(refusal('a', 'RATE_LIMITED', wait));
    client.send(HELLO, { id: 'b' });
    expect(socket.sentOf('message_in')).toHaveLength(1);
    clock.advance(1_000);

    expect(socket.sentOf('message_in').map(({ id }) => id)).toEqual(['a', 'a', 'b']);
  });

  it('lets others pass a message whose queue is full', () => {
    const socket = connect();
    client.send(HELLO, { id: 'a' });
    socket.deliver(refusal('a', 'QUEUE_FULL', wait));
    client.send(HELLO, { id: 'b' });

    expect(socket.sentOf('message_in').map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('never asks for so many refusals that the gateway would close', () => {
    const socket = connect();
    for (let i = 0; i < 500; i++) client.send(HELLO, { id: `${i}` });
    const refusalsAt: number[] = [];
    let answered = 0;
    // A gateway that takes ten messages a second and refuses the rest, for a minute.
    let allowance = 10;
    for (let elapsed = 0; elapsed < 60_000; elapsed += 100, clock.advance(100)) {
      allowance = Math.min(10, allowance + 1);
      for (; answered < socket.sent.length; answered++) {
        const { id } = socket.sent[answered]!;
        if (allowance >= 1) {
          allowance--;
          acknowledge(socket, id, `m-${id}`);
        } else {
          refusalsAt.push(elapsed);
          socket.deliver(refusal(id, 'RATE_LIMITED', { retryable: true, retry_after_ms: 100 }));
        }
      }
    }

    const worst = Math.max(
      ...refusalsAt.map((at) => refusalsAt.filter((other) => other >= at && other < at + 10_000).length),
    );
    expect(worst).toBeLessThan(100);
  });

  it('forgets a held message that is cancelled, since the gateway does not have it', async () => {
    const socket = connect();
    const reply = client.send(HELLO, { id: 'a' });
    socket.deliver(refusal('a', 'RATE_LIMITED', wait));
    reply.cancel();
    clock.advance(10_000);

    await expect(reply.ended).rejects.toBeInstanceOf(WithdrawnError);
    expect(socket.sentOf('message_in')).toHaveLength(1);
  });
});

describe('confirming deliveries', () => {
  it('[K-08] confirms the newest whole reply of a session, once for many', () => {
    const socket = connect();
    sendAccepted(socket, 'a');
    sendAccepted(socket, 'b');
    for (const frame of [block('a', 1, 0), end('a', 2), block('b', 3, 0), end('b', 4)]) socket.deliver(frame);
    clock.advance(250);

    expect(socket.sentOf('delivered').map((frame) => frame.payload)).toEqual([{ session_id: 's1', seq: 4 }]);
  });

  it('[K-08] does not confirm into the middle of a reply', () => {
    const socket = connect();
    sendAccepted(socket, 'a');
    sendAccepted(socket, 'b');
    for (const frame of [block('a', 1, 0), end('b', 2, { reason: 'cancelled' })]) socket.deliver(frame);
    clock.advance(10_000);

    expect(socket.sentOf('delivered')).toEqual([]);
  });

  it('confirms nothing by itself when deliveries are manual', () => {
    client = makeClient({ delivery: 'manual' });
    const socket = connect();
    sendAccepted(socket, 'a');
    socket.deliver(end('a', 1));
    clock.advance(10_000);
    expect(socket.sentOf('delivered')).toEqual([]);

    client.delivered('s1', 1);
    clock.advance(250);
    expect(socket.sentOf('delivered')).toHaveLength(1);
  });

  it('keeps a confirmation that found no connection', () => {
    connect();
    sockets.last.drop();
    client.delivered('s1', 5);
    clock.advance(500);
    sockets.last.deliverConnected();

    expect(sockets.last.sentOf('delivered')).toHaveLength(1);
  });

  it('leaves nothing unsaid when it closes', () => {
    const socket = connect();
    sendAccepted(socket, 'a');
    socket.deliver(end('a', 1));
    client.close();

    expect(socket.sentOf('delivered')).toHaveLength(1);
  });
});

describe('everything else', () => {
  it('tells the sessions and people it is asked to tell of', () => {
    const socket = connect();
    client.presence({ channel: 'test', user_id: 'alice', status: 'typing' });
    client.reaction({ channel: 'test', sender: 'alice', message_id: 'a', emoji: '+', action: 'added' });
    client.channelStatus({ channel: 'test', status: 'connected' });
    client.cancelSession('s1');
    client.cancelMessage('m-of-somebody');

    expect(socket.sent.map(({ type }) => type)).toEqual(['presence', 'reaction', 'channel_status', 'cancel', 'cancel']);
    expect(socket.sent[3]).toMatchObject({ session_id: 's1', payload: {} });
    expect(socket.sent[4]).toMatchObject({ payload: { message_ref: 'm-of-somebody' } });
  });

  it('asks extensions of the gateway, again after a lost connection', async () => {
    const asked = connect().sent;
    const answer = client.ask('acme.weather', { city: 'Bern' });
    const socket = reconnect();
    expect(socket.sent).toEqual(asked);
    socket.deliver({ type: 'acme.forecast', correlation_id: asked[0]!.id, payload: { sky: 'blue' } });

    expect(await answer).toEqual({ sky: 'blue' });
  });

  it('tells errors that belong to nothing else, also of codes it does not know', () => {
    const errors: GatewayError[] = [];
    client.on('error', (error) => errors.push(error));
    connect().deliver(refusal('unknown', 'NEW_IN_VERSION_2'));

    expect(errors).toMatchObject([
      { code: 'NEW_IN_VERSION_2', message: 'refused: NEW_IN_VERSION_2', retryable: false },
    ]);
  });

  it('passes on frames that it does not know, and ignores what is no frame', () => {
    const frames: string[] = [];
    client.on('frame', ({ type }) => frames.push(type));
    const socket = connect();
    socket.deliver({ type: 'vendor.news', payload: {} });

    expect(frames).toEqual(['vendor.news']);
  });
});
