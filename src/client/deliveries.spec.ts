import { beforeEach, describe, expect, it } from 'vitest';
import { ClientHarness, block, end } from '../testing/client-harness.js';

let harness: ClientHarness;
beforeEach(() => {
  harness = new ClientHarness();
});

describe('confirming deliveries', () => {
  it('[K-08] confirms the newest whole reply of a session, once for many', () => {
    const socket = harness.connect();
    harness.sendAccepted(socket, 'a');
    harness.sendAccepted(socket, 'b');
    for (const frame of [block('a', 1, 0), end('a', 2), block('b', 3, 0), end('b', 4)]) socket.deliver(frame);
    harness.clock.advance(250);

    expect(socket.sentOf('delivered').map((frame) => frame.payload)).toEqual([{ session_id: 's1', seq: 4 }]);
  });

  it('[K-08] does not confirm into the middle of a reply', () => {
    const socket = harness.connect();
    harness.sendAccepted(socket, 'a');
    harness.sendAccepted(socket, 'b');
    for (const frame of [block('a', 1, 0), end('b', 2, { reason: 'cancelled' })]) socket.deliver(frame);
    harness.clock.advance(10_000);

    expect(socket.sentOf('delivered')).toEqual([]);
  });

  it('confirms nothing by itself when deliveries are manual', () => {
    harness.client = harness.makeClient({ delivery: 'manual' });
    const socket = harness.connect();
    harness.sendAccepted(socket, 'a');
    socket.deliver(end('a', 1));
    harness.clock.advance(10_000);
    expect(socket.sentOf('delivered')).toEqual([]);

    harness.client.delivered('s1', 1);
    harness.clock.advance(250);
    expect(socket.sentOf('delivered')).toHaveLength(1);
  });

  it('keeps a confirmation while there is no connection', () => {
    harness.connect();
    harness.sockets.last.drop();
    harness.client.delivered('s1', 5);
    harness.clock.advance(500);
    harness.sockets.last.deliverConnected();

    expect(harness.sockets.last.sentOf('delivered')).toHaveLength(1);
  });

  it('sends pending confirmations when it closes', () => {
    const socket = harness.connect();
    harness.sendAccepted(socket, 'a');
    socket.deliver(end('a', 1));
    harness.client.close();

    expect(socket.sentOf('delivered')).toHaveLength(1);
  });
});
