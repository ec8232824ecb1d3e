import { beforeEach, describe, expect, it } from 'vitest';
import { ClientHarness, HELLO, acknowledge, refusal } from '../testing/client-harness.js';
import { WithdrawnError } from './errors.js';

let harness: ClientHarness;
beforeEach(() => {
  harness = new ClientHarness();
});

describe('retryable refusals', () => {
  const wait = { retryable: true, retry_after_ms: 1_000 };

  it.each(['RATE_LIMITED', 'DRAINING', 'STORE_UNAVAILABLE', 'QUEUE_FULL'])(
    '[K-07] sends again under the same id after %s',
    (code) => {
      const socket = harness.connect();
      harness.client.send(HELLO, { id: 'a' });
      socket.deliver(refusal('a', code, wait));
      harness.clock.advance(999);
      expect(socket.sentOf('message_in')).toHaveLength(1);
      harness.clock.advance(1);

      expect(socket.sentOf('message_in').map(({ id }) => id)).toEqual(['a', 'a']);
    },
  );

  it('[K-07] holds all messages back while the client is over its rate', () => {
    const socket = harness.connect();
    harness.client.send(HELLO, { id: 'a' });
    socket.deliver(refusal('a', 'RATE_LIMITED', wait));
    harness.client.send(HELLO, { id: 'b' });
    expect(socket.sentOf('message_in')).toHaveLength(1);
    harness.clock.advance(1_000);

    expect(socket.sentOf('message_in').map(({ id }) => id)).toEqual(['a', 'a', 'b']);
  });

  it('sends other messages before one whose queue is full', () => {
    const socket = harness.connect();
    harness.client.send(HELLO, { id: 'a' });
    socket.deliver(refusal('a', 'QUEUE_FULL', wait));
    harness.client.send(HELLO, { id: 'b' });

    expect(socket.sentOf('message_in').map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('never causes so many refusals that the gateway would close the connection', () => {
    const socket = harness.connect();
    for (let i = 0; i < 500; i++) harness.client.send(HELLO, { id: `${i}` });
    const refusalsAt: number[] = [];
    let answered = 0;
    // For a minute, a gateway that accepts ten messages a second and refuses the rest.
    let allowance = 10;
    for (let elapsed = 0; elapsed < 60_000; elapsed += 100, harness.clock.advance(100)) {
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

  it('drops a held message that is cancelled, since the gateway does not have it', async () => {
    const socket = harness.connect();
    const reply = harness.client.send(HELLO, { id: 'a' });
    socket.deliver(refusal('a', 'RATE_LIMITED', wait));
    reply.cancel();
    harness.clock.advance(10_000);

    await expect(reply.ended).rejects.toBeInstanceOf(WithdrawnError);
    expect(socket.sentOf('message_in')).toHaveLength(1);
  });
});
