import { beforeEach, describe, expect, it } from 'vitest';
import { GatewayError } from '../protocol/errors.js';
import {
  ClientHarness,
  HELLO,
  acknowledge,
  block,
  contents,
  delta,
  end,
  readAll,
  refusal,
  restart,
} from '../testing/client-harness.js';
import { WithdrawnError } from './errors.js';

let harness: ClientHarness;
beforeEach(() => {
  harness = new ClientHarness();
});

describe('a reply', () => {
  it('[K-02] yields the events of its message, in order, to its end', async () => {
    const { socket, reply } = harness.startReply();
    const other = harness.sendAccepted(socket, 'b');
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

  it('reports the states of tool calls', async () => {
    const { socket, reply } = harness.startReply();
    const payload = { message_id: 'a', message_ref: 'm-a', call_id: 'c1', tool: 'time.now', status: 'running' };
    socket.deliver({ type: 'tool_status', session_id: 's1', seq: 1, payload });
    socket.deliver(end('a', 2));

    expect((await readAll(reply))[0]).toEqual({ type: 'tool', ...payload });
  });

  it('ends without an event when the message was only observed', async () => {
    const socket = harness.connect();
    const reply = harness.client.send(HELLO, { id: 'a' });
    acknowledge(socket, 'a', 'm-a', { status: 'observed' });

    expect(await readAll(reply)).toEqual([]);
    expect(await reply.ended).toBeUndefined();
  });

  it('[K-10] drops the blocks that a restart replaces', async () => {
    const { socket, reply } = harness.startReply();
    const events = reply[Symbol.asyncIterator]();
    socket.deliver(block('a', 1, 0));
    socket.deliver(block('a', 2, 1, 'half'));
    await events.next();
    await events.next();
    for (const frame of [restart('a', 3, 2), block('a', 4, 1, 'whole'), end('a', 5)]) socket.deliver(frame);

    expect((await events.next()).value).toEqual({ type: 'restart', keep: 1 });
    expect(await contents(reply)).toEqual(['block 0', 'whole']);
  });

  it('that is not read keeps only the standing blocks', async () => {
    const { socket, reply } = harness.startReply();
    for (let i = 0; i < 100; i++) socket.deliver(delta('a', 'a-1', 'x'));
    socket.deliver(block('a', 1, 0, 'x'.repeat(100)));
    socket.deliver(block('a', 2, 1));
    socket.deliver(restart('a', 3, 2));
    for (let i = 0; i < 100; i++) socket.deliver(delta('a', 'a-4', 'y'));
    socket.deliver(end('a', 4));

    expect((await readAll(reply)).map((event) => event.type)).toEqual(['block', 'restart', 'end']);
  });

  it('joins unread deltas', async () => {
    const { socket, reply } = harness.startReply();
    for (const text of ['one ', 'two ', 'three']) socket.deliver(delta('a', 'a-1', text));
    const first = await reply[Symbol.asyncIterator]().next();

    expect(first.value).toEqual({ type: 'delta', block_id: 'a-1', block_type: 'text', delta: 'one two three' });
  });

  it('grows one block at a time, although deltas overtake blocks that are stored first', async () => {
    const socket = harness.connect();
    const events = harness.sendAccepted(socket, 'a')[Symbol.asyncIterator]();
    for (const frame of [delta('a', 'a-1', 'one'), delta('a', 'a-2', 'tw'), delta('a', 'a-2', 'o')])
      socket.deliver(frame);
    expect((await events.next()).value).toMatchObject({ type: 'delta', delta: 'one' });
    const next = events.next();
    socket.deliver(block('a', 1, 0, 'one'));

    expect((await next).value).toMatchObject({ type: 'block', index: 0 });
    expect((await events.next()).value).toMatchObject({ type: 'delta', delta: 'two' });
  });

  it('[K-02] throws the error of its message and leaves the connection open', async () => {
    const socket = harness.connect();
    const reply = harness.client.send(HELLO, { id: 'a' });
    socket.deliver(refusal('a', 'FORBIDDEN', { details: { reason: 'not yours' } }));

    await expect(reply.acknowledged).rejects.toMatchObject({ code: 'FORBIDDEN', message: 'refused: FORBIDDEN' });
    await expect(readAll(reply)).rejects.toBeInstanceOf(GatewayError);
    expect(harness.client.state.name).toBe('connected');
  });

  it('that ended with an error throws it from blocks(), and has it as its end', async () => {
    const { socket, reply } = harness.startReply();
    socket.deliver(end('a', 1, { reason: 'error', error: { code: 'AGENT_FAILED', message: 'no', retryable: false } }));

    await expect(reply.blocks()).rejects.toMatchObject({ code: 'AGENT_FAILED' });
    expect(await readAll(reply)).toMatchObject([{ type: 'end', reason: 'error' }]);
  });

  it('can be read by one reader only', () => {
    const reply = harness.client.send(HELLO);
    void reply[Symbol.asyncIterator]();

    expect(() => reply[Symbol.asyncIterator]()).toThrow(TypeError);
  });
});

describe('cancelling', () => {
  it('[K-09] withdraws a message that was not sent', async () => {
    const reply = harness.client.send(HELLO, { id: 'a' });
    reply.cancel();

    await expect(readAll(reply)).rejects.toBeInstanceOf(WithdrawnError);
    expect(harness.connect().sentOf('message_in')).toEqual([]);
  });

  it('sends a cancel once the gateway is known to have the message', () => {
    const socket = harness.connect();
    const reply = harness.client.send(HELLO, { id: 'a' });
    reply.cancel();
    expect(socket.sentOf('cancel')).toEqual([]);

    acknowledge(socket, 'a', 'm-a');
    expect(socket.sentOf('cancel').map((frame) => frame.payload)).toEqual([{ message_ref: 'm-a' }]);
  });

  it('[K-09] follows an abort signal, and is sent again after a reconnect', () => {
    const socket = harness.connect();
    const abort = new AbortController();
    harness.client.send(HELLO, { id: 'a', signal: abort.signal });
    acknowledge(socket, 'a', 'm-a');
    abort.abort();

    expect(socket.sentOf('cancel')).toHaveLength(1);
    expect(harness.reconnect().sentOf('cancel')).toHaveLength(1);
  });

  it('never sends a message whose signal was already aborted', async () => {
    const socket = harness.connect();
    const reply = harness.client.send(HELLO, { signal: AbortSignal.abort() });

    await expect(reply.acknowledged).rejects.toBeInstanceOf(WithdrawnError);
    expect(socket.sent).toEqual([]);
  });
});
