import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/index.js';
import type { GatewayWebSocket } from './gateway-websocket.js';
import { Heartbeat } from './heartbeat.js';
import type { Outbox } from './outbox.js';

const BEAT_MS = 30_000;

function setUp() {
  const clock = new ManualClock();
  const pings: (() => void)[] = [];
  const socket = { isPaused: false, ping: (_data: unknown, _mask: unknown, sent: () => void) => void pings.push(sent) };
  const outbox = { bufferedBytes: 0, takenBytes: 0 };
  const heartbeat = new Heartbeat(socket as unknown as GatewayWebSocket, outbox as unknown as Outbox, clock);
  const beat = () => {
    clock.advance(BEAT_MS);
    return heartbeat.beat();
  };
  /** Completes the write of the latest ping. */
  const send = () => pings.at(-1)?.();
  return { heartbeat, socket, outbox, pings, beat, send };
}

describe('Heartbeat', () => {
  it('gives up a peer that answers neither of two pings', () => {
    const { beat, send } = setUp();
    for (let i = 0; i < 2; i++) {
      expect(beat()).toBeUndefined();
      send();
    }
    expect(beat()).toBe('heartbeatLost');
  });

  it('tolerates one missed ping if the next is answered', () => {
    const { heartbeat, beat, send } = setUp();
    for (let i = 0; i < 20; i++) {
      expect(beat()).toBeUndefined();
      send();
      if (i % 2 === 1) heartbeat.notePong();
    }
  });

  it('does not count an unsent ping, and sends no other before it', () => {
    const { outbox, pings, beat } = setUp();
    for (let i = 1; i <= 10; i++) {
      outbox.bufferedBytes = 1_000_000;
      outbox.takenBytes = i * 10_000;
      expect(beat()).toBeUndefined();
    }
    expect(pings).toHaveLength(1);
  });

  it('does not count a ping while the gateway is not reading', () => {
    const { socket, beat, send } = setUp();
    beat();
    send();
    socket.isPaused = true;
    for (let i = 0; i < 10; i++) {
      expect(beat()).toBeUndefined();
      send();
    }
  });

  it('gives up a peer that reads nothing for a minute, and starts the minute again when it reads something', () => {
    const { outbox, beat } = setUp();
    outbox.bufferedBytes = 1_000_000;
    expect([beat(), beat()]).toEqual([undefined, undefined]);
    outbox.takenBytes = 1;
    expect([beat(), beat(), beat()]).toEqual([undefined, undefined, undefined]);
    expect(beat()).toBe('slowReader');
  });

  it('does not treat a peer as slow for which nothing is buffered', () => {
    const { heartbeat, beat, send } = setUp();
    for (let i = 0; i < 10; i++) {
      expect(beat()).toBeUndefined();
      send();
      heartbeat.notePong();
    }
  });
});
