import { beforeEach, describe, expect, it } from 'vitest';
import {
  ClientHarness,
  HELLO,
  acknowledge,
  block,
  contents,
  delta,
  end,
  readAll,
  resumed,
} from '../testing/client-harness.js';
import { ConnectionEndedError } from './errors.js';
import type { ReplyEvent } from './reply-events.js';

let harness: ClientHarness;
beforeEach(() => {
  harness = new ClientHarness();
});

describe('after a lost connection', () => {
  it('[K-03] resumes each session after exactly the last seq it has seen', async () => {
    const { socket, reply } = harness.startReply();
    socket.deliver(block('a', 7, 0));
    socket.deliver(block('a', 8, 1));
    const next = harness.reconnect();

    expect(next.sentOf('resume').map((frame) => frame.payload)).toEqual([
      { sessions: [{ session_id: 's1', after_seq: 8, epoch: 'e1' }] },
    ]);
    next.deliver(resumed(9, 10));
    next.deliver(block('a', 9, 2));
    next.deliver(end('a', 10));
    expect(await contents(reply)).toEqual(['block 0', 'block 1', 'block 2']);
  });

  it('[K-04] sends an unacknowledged message again, unchanged and under its id', () => {
    const first = harness.connect();
    harness.client.send(HELLO, { id: 'a' });
    const second = harness.reconnect();

    expect(second.sentOf('message_in')).toEqual(first.sentOf('message_in'));
    acknowledge(second, 'a', 'm-a');
    expect(harness.reconnect().sentOf('message_in')).toEqual([]);
  });

  it('reads the state of a repeated message from the history and continues from there', async () => {
    harness.connect();
    const reply = harness.client.send(HELLO, { id: 'a' });
    const socket = harness.reconnect();
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
    expect(socket.sentOf('resume')[0]!.payload).toEqual({
      sessions: [{ session_id: 's1', after_seq: 3, epoch: 'e1' }],
    });
    socket.deliver(resumed(4, 4));
    socket.deliver(block('a', 4, 1));
    socket.deliver(end('a', 5));
    expect(await contents(reply)).toEqual(['block 0', 'block 1']);
  });

  it('reads the history as far back as its open replies', async () => {
    harness.connect();
    const reply = harness.client.send(HELLO, { id: 'a' });
    const socket = harness.reconnect();
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
      .toEqual({ sessions: [{ session_id: 's1', after_seq: 3, epoch: 'e1' }] });
  });

  it('fails a reply whose message is no longer in its session', async () => {
    harness.connect();
    const reply = harness.client.send(HELLO, { id: 'a' });
    const socket = harness.reconnect();
    acknowledge(socket, 'a', 'm-a', { status: 'duplicate' });
    const question = socket.sentOf('history')[0]!;
    socket.deliver({ type: 'history', correlation_id: question.id, payload: { messages: [], head_seq: 3 } });

    await expect(reply.blocks()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('reads the end of a reply from the history when its frames are past retention', async () => {
    const { socket, reply } = harness.startReply();
    socket.deliver(block('a', 1, 0, 'half'));
    const next = harness.reconnect();
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
      .toEqual({ sessions: [{ session_id: 's1', after_seq: 950, epoch: 'e1' }] });
  });

  it('replaces the blocks from the history when the answer restarts', async () => {
    harness.connect();
    const reply = harness.client.send(HELLO, { id: 'a' });
    const socket = harness.reconnect();
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
    const { socket, reply } = harness.startReply();
    socket.deliver(delta('a', 'a-1', 'Hel'));
    const next = harness.reconnect();
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

  it('sends pending requests again', async () => {
    harness.connect();
    const pong = harness.client.ping();
    const socket = harness.reconnect();
    const [question] = socket.sentOf('ping');
    socket.deliver({ type: 'pong', correlation_id: question!.id, payload: {} });

    await expect(pong).resolves.toBeUndefined();
  });

  it('waits longer after each failure, and resets the delay once connected', () => {
    harness.connect();
    const waits: number[] = [];
    harness.client.on('state', (state) => state.name === 'waiting' && waits.push(state.retryInMs));
    for (let i = 0; i < 8; i++) {
      harness.sockets.last.drop();
      harness.clock.advance(waits.at(-1) ?? 0);
    }
    harness.sockets.last.deliverConnected();
    harness.sockets.last.drop();

    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 500]);
  });

  it('reconnects at once when its owner calls `connect` while it waits', () => {
    harness.connect().drop();
    void harness.client.connect();
    expect(harness.sockets.opened).toHaveLength(2);
    harness.clock.advance(500);
    expect(harness.sockets.opened).toHaveLength(2);
  });

  it('reconnects after the delay that a stopping gateway announced', () => {
    const socket = harness.connect();
    socket.deliver({ type: 'going_away', payload: { reason: 'restart', reconnect_after_ms: 1_234 } });
    socket.drop(1012, 'Gateway restarting');
    harness.clock.advance(1_233);
    expect(harness.sockets.opened).toHaveLength(1);
    harness.clock.advance(1);
    expect(harness.sockets.opened).toHaveLength(2);
  });

  it.each([1001, 1006, 1012, 4009, 4013])('[K-05] reconnects after close code %i', (code) => {
    harness.connect().drop(code);
    harness.clock.advance(500);

    expect(harness.sockets.opened).toHaveLength(2);
  });

  it('waits for as long as its refused frames count against it', () => {
    harness.connect().drop(4008, 'Rate limit ignored');

    expect(harness.client.state).toMatchObject({ name: 'waiting', retryInMs: 10_000 });
  });

  it.each([4001, 4002, 4010, 1002, 1003, 1007, 1009])('[K-05] ends permanently with close code %i', async (code) => {
    const socket = harness.connect();
    const running = harness.sendAccepted(socket, 'a');
    const unacknowledged = harness.client.send(HELLO);
    const ping = harness.client.ping();
    socket.drop(code, 'because');
    harness.clock.advance(100_000);

    expect(harness.sockets.opened).toHaveLength(1);
    expect(harness.client.state).toMatchObject({ name: 'ended', error: { code } });
    await expect(readAll(running)).rejects.toBeInstanceOf(ConnectionEndedError);
    await expect(unacknowledged.acknowledged).rejects.toMatchObject({ code, reason: 'because' });
    await expect(ping).rejects.toBeInstanceOf(ConnectionEndedError);
  });

  it('detects a silently lost connection', () => {
    const socket = harness.connect();
    harness.clock.advance(60_000);
    expect(socket.sentOf('ping')).toHaveLength(1);
    harness.clock.advance(30_000);

    expect(socket.isClosed).toBe(true);
    expect(harness.client.state.name).toBe('waiting');
  });

  it('keeps a connection on which anything arrives', () => {
    const socket = harness.connect();
    for (let i = 0; i < 10; i++) {
      harness.clock.advance(59_000);
      socket.deliver({ type: 'pong', payload: {} });
    }

    expect(harness.client.state.name).toBe('connected');
  });

  it('stays closed when the program closes it', async () => {
    const { socket, reply } = harness.startReply();
    harness.client.close();
    harness.clock.advance(100_000);

    expect(socket.isClosed).toBe(true);
    await expect(reply.ended).rejects.toMatchObject({ code: 1000 });
    expect(harness.sockets.opened).toHaveLength(1);
  });
});

describe('a connection that carries nothing any more, without being closed', () => {
  it('is replaced within nine seconds of a message, which is sent again', () => {
    const socket = harness.connect();
    harness.client.send(HELLO, { id: 'a' });
    harness.clock.advance(3_000);
    expect(socket.sentOf('ping')).toHaveLength(1);
    harness.clock.advance(6_000);
    expect(harness.sockets.opened).toHaveLength(2);
    harness.sockets.last.deliverConnected();

    expect(harness.sockets.last.sentOf('message_in')).toEqual(socket.sentOf('message_in'));
  });

  it('is checked and replaced when its owner calls `connect`', () => {
    const socket = harness.connect();
    void harness.client.connect();
    void harness.client.connect();
    expect(socket.sentOf('ping')).toHaveLength(1);
    harness.clock.advance(4_999);
    expect(harness.client.state.name).toBe('connected');
    harness.clock.advance(100);
    expect(harness.client.state).toMatchObject({ name: 'waiting', loss: { code: 4009 } });
  });

  it('is kept when any frame arrives after the check', () => {
    const socket = harness.connect();
    void harness.client.connect();
    socket.deliver({ type: 'pong', correlation_id: socket.sentOf('ping')[0]!.id, payload: {} });
    harness.clock.advance(20_000);
    expect(harness.client.state.name).toBe('connected');
  });

  it('is checked again and again while a message has no response', () => {
    const socket = harness.connect();
    harness.client.send(HELLO, { id: 'a' });
    for (let i = 1; i <= 3; i++) {
      harness.clock.advance(3_000);
      expect(socket.sentOf('ping')).toHaveLength(i);
      socket.deliver({ type: 'pong', payload: {} });
    }
    acknowledge(socket, 'a', 'm-a');
    harness.clock.advance(20_000);
    expect(socket.sentOf('ping')).toHaveLength(3);
  });

  it('has more time while it transmits a long message', () => {
    harness.connect();
    harness.client.send({ ...HELLO, content: 'x'.repeat(160_000) }, { id: 'a' });
    harness.clock.advance(17_999);
    expect(harness.client.state.name).toBe('connected');
    harness.clock.advance(100);
    expect(harness.client.state.name).toBe('waiting');
  });
});
