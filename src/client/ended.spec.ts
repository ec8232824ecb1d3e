import { beforeEach, describe, expect, it } from 'vitest';
import { ClientHarness, HELLO, acknowledge, readAll } from '../testing/client-harness.js';
import { ConnectionEndedError, MessageTooLargeError } from './errors.js';

let harness: ClientHarness;
beforeEach(() => {
  harness = new ClientHarness();
});

describe('after the end', () => {
  const endings: [string, () => void][] = [
    ['the program closed it', () => harness.client.close()],
    ['the gateway closed it for good', () => harness.sockets.last.drop(4001, 'Unauthorized')],
  ];

  it.each(endings)('a new message fails with ConnectionEndedError when %s', async (_, endConnection) => {
    const socket = harness.connect();
    endConnection();
    const reply = harness.client.send(HELLO);

    await expect(reply.acknowledged).rejects.toBeInstanceOf(ConnectionEndedError);
    await expect(reply.ended).rejects.toBeInstanceOf(ConnectionEndedError);
    await expect(reply.blocks()).rejects.toBeInstanceOf(ConnectionEndedError);
    await expect(readAll(reply)).rejects.toBeInstanceOf(ConnectionEndedError);
    expect(socket.sentOf('message_in')).toEqual([]);
  });

  it.each(endings)('pending messages and their readers fail when %s', async (_, endConnection) => {
    const { reply: accepted } = harness.startReply();
    const unacknowledged = harness.client.send(HELLO);
    const reading = [accepted, unacknowledged].map((reply) => readAll(reply).catch((error: unknown) => error));
    endConnection();

    for (const error of await Promise.all(reading)) expect(error).toBeInstanceOf(ConnectionEndedError);
    await expect(unacknowledged.acknowledged).rejects.toBeInstanceOf(ConnectionEndedError);
  });

  it('a new request and a new resume fail with ConnectionEndedError', async () => {
    harness.connect();
    harness.client.close();

    await expect(harness.client.ping()).rejects.toBeInstanceOf(ConnectionEndedError);
    const resume = harness.client.resume([{ session_id: 's1', after_seq: 0 }]);
    await expect(resume).rejects.toBeInstanceOf(ConnectionEndedError);
  });

  it('a message sent from a listener of the end fails too', async () => {
    harness.connect();
    const late = new Promise((resolve) => {
      harness.client.on('state', ({ name }) => {
        if (name === 'ended') resolve(harness.client.send(HELLO).ended);
      });
    });
    harness.client.close();

    await expect(late).rejects.toBeInstanceOf(ConnectionEndedError);
  });

  it('connect() starts over, and messages are sent again', () => {
    harness.connect();
    harness.client.close();
    const socket = harness.connect();
    harness.client.send(HELLO, { id: 'b' });

    expect(socket.sentOf('message_in').map(({ id }) => id)).toEqual(['b']);
  });
});

describe('a message larger than the gateway accepts', () => {
  const LIMITS = { max_frame_bytes: 1_024, max_queued_per_session: 100 };

  it.each([
    ['in characters', 'x'.repeat(1_024)],
    ['in bytes only', '€'.repeat(400)],
  ])('is refused here, and its neighbours are sent: too large %s', async (_, content) => {
    void harness.client.connect();
    const socket = harness.sockets.last;
    socket.deliverConnected({ limits: LIMITS });
    const replies = ['a', 'b', 'c'].map((id) =>
      harness.client.send(id === 'b' ? { ...HELLO, content } : HELLO, { id }),
    );
    for (const id of ['a', 'c']) acknowledge(socket, id, `m-${id}`);

    const outcomes = await Promise.allSettled(replies.map((reply) => reply.acknowledged));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const error = await replies[1]!.ended.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MessageTooLargeError);
    expect(error).toMatchObject({ maxBytes: 1_024 });
    expect((error as MessageTooLargeError).bytes).toBeGreaterThan(1_024);
    expect(socket.sentOf('message_in').map(({ id }) => id)).toEqual(['a', 'c']);
    expect(harness.client.state.name).toBe('connected');
  });

  it('is refused once the limit is known, when it was sent before the connection', async () => {
    const large = harness.client.send({ ...HELLO, content: 'x'.repeat(1_024) });
    harness.client.send(HELLO, { id: 'b' });
    void harness.client.connect();
    harness.sockets.last.deliverConnected({ limits: LIMITS });

    await expect(large.ended).rejects.toBeInstanceOf(MessageTooLargeError);
    expect(harness.sockets.last.sentOf('message_in').map(({ id }) => id)).toEqual(['b']);
  });

  it('is sent when its frame has exactly the largest size', () => {
    const size = (content: string) => JSON.stringify(frameOf(content)).length;
    const socket = harness.connect();
    const frameOf = (content: string) => ({ ...socket.sentOf('message_in')[0], payload: { ...HELLO, content } });
    harness.client.send({ ...HELLO, content: '' }, { id: 'a' });
    const content = 'x'.repeat(262_144 - size(''));
    harness.client.send({ ...HELLO, content }, { id: 'b' });
    harness.client.send({ ...HELLO, content: `${content}x` }, { id: 'c' });

    expect(socket.sentOf('message_in').map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('is refused as a request of an extension too', async () => {
    void harness.client.connect();
    harness.sockets.last.deliverConnected({ limits: LIMITS });

    const asked = harness.client.ask('acme.weather', { city: 'x'.repeat(1_024) });
    await expect(asked).rejects.toBeInstanceOf(MessageTooLargeError);
  });
});
