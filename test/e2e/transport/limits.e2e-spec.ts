import { describe, expect, it } from 'vitest';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { ConnectionManagerService } from '../../../src/core/connections/connection-manager.service.js';
import { ManualClock } from '../../../src/testing/index.js';
import { FrameClient } from '../../support/frame-client.js';
import { OPCODES, RawSocket, rawFrame } from '../../support/raw-socket.js';
import type { WebSocketConnection } from '../../../src/websocket/websocket-connection.js';
import { EchoGateway, startTransport } from '../../support/transport-app.js';
import { aMessage, expectGoodService, TOKEN } from './support.js';

describe('time limits and rate limits', () => {
  it('[T-14] an upgrade request that is not complete in time is closed', async () => {
    const gateway = await startTransport({ limits: { requestTimeoutMs: 500 } });
    const raw = await RawSocket.connect(gateway.port);
    raw.send('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ');
    expect((await raw.readAnswer()).status).toBe(408);
    const silent = await RawSocket.connect(gateway.port);
    await silent.ended();
    await expectGoodService(gateway.port);
    await gateway.close();
  });

  it('[T-15] a message that is not complete within 30 s closes the connection, with or without fragments and pings in between', async () => {
    const clock = new ManualClock();
    const gateway = await startTransport({ clock, settings: { 'gateway.heartbeat_interval_ms': 3_600_000 } });
    const half = rawFrame(OPCODES.text, '{"type":"ping"').subarray(0, 9);
    const slow = await RawSocket.upgrade(gateway.port);
    slow.send(half);
    const fragmented = await RawSocket.upgrade(gateway.port);
    fragmented.send(rawFrame(OPCODES.text, '{', { final: false }));
    fragmented.send(rawFrame(OPCODES.ping, 'x'));
    const good = await FrameClient.open(gateway.port);
    const pong = async (raw: RawSocket) => {
      for (let frame = await raw.readFrame(); frame.opcode !== OPCODES.pong; frame = await raw.readFrame());
    };
    await pong(fragmented);
    await good.answerTo(good.send('ping'));

    clock.advance(29_999);
    fragmented.send(rawFrame(OPCODES.continuation, ' ', { final: false }));
    fragmented.send(rawFrame(OPCODES.ping, 'x'));
    await pong(fragmented);
    clock.advance(1);
    expect(await slow.readClose()).toMatchObject({ code: 1002 });
    expect(await fragmented.readClose()).toMatchObject({ code: 1002 });
    await good.answerTo(good.send('ping'));
    fragmented.destroy();
    slow.destroy();
    await gateway.close();
  });

  it('[T-15] a peer that always has a partial message stays connected as long as each message completes', async () => {
    const clock = new ManualClock();
    const gateway = await startTransport({ clock, settings: { 'gateway.heartbeat_interval_ms': 3_600_000 } });
    const raw = await RawSocket.upgrade(gateway.port);
    await raw.readFrame();
    const ping = (i: number) =>
      rawFrame(OPCODES.text, JSON.stringify({ type: 'ping', id: `p${i}`, timestamp: 1, payload: {} }));
    let rest: Buffer = Buffer.alloc(0);
    for (let i = 0; i < 5; i++) {
      const next = ping(i + 1);
      raw.send(Buffer.concat([rest, i === 0 ? ping(0) : Buffer.alloc(0), next.subarray(0, 7)]));
      rest = next.subarray(7);
      expect((await raw.readFrame()).payload.toString()).toContain(`"correlation_id":"p${i}"`);
      clock.advance(29_000);
    }
    raw.destroy();
    await gateway.close();
  });

  it('[T-15] time during which the gateway does not read does not count', async () => {
    const clock = new ManualClock();
    let open = () => {};
    @WebSocketGateway(18789)
    class SlowGateway {
      @SubscribeMessage('acme.wait')
      wait(): Promise<void> {
        return new Promise((resolve) => (open = resolve));
      }
    }
    const gateway = await startTransport({
      clock,
      gateways: [EchoGateway, SlowGateway],
      settings: { 'gateway.heartbeat_interval_ms': 3_600_000 },
    });
    const raw = await RawSocket.upgrade(gateway.port);
    await raw.readFrame();
    const frame = (type: string, id: string) =>
      rawFrame(OPCODES.text, JSON.stringify({ type, id, timestamp: 1, payload: {} }));
    const last = frame('ping', 'last');
    // More frames than may wait, followed by half a frame.
    raw.send(
      Buffer.concat([
        frame('acme.wait', 'w'),
        ...Array.from({ length: 300 }, (_, i) => frame('ping', `p${i}`)),
        last.subarray(0, 9),
      ]),
    );
    const [connection] = gateway.app.get(ConnectionManagerService).list() as WebSocketConnection[];
    await expect.poll(() => connection!['socket'].isPaused).toBe(true);
    clock.advance(60_000);
    open();
    for (let i = 0; i < 300; i++) await raw.readFrame();
    raw.send(last.subarray(9));
    expect((await raw.readFrame()).payload.toString()).toContain('"correlation_id":"last"');
    raw.destroy();
    await gateway.close();
  });

  it('[T-16] a peer that answers neither of two pings in a row is terminated with 4009; one that answers stays', async () => {
    const clock = new ManualClock();
    const gateway = await startTransport({ clock });
    const mute = await RawSocket.upgrade(gateway.port);
    const alive = await RawSocket.upgrade(gateway.port, '/?client_id=alive');
    const nextPing = async (raw: RawSocket) => {
      for (;;) {
        const frame = await raw.readFrame();
        if (frame.opcode === OPCODES.ping) return frame;
      }
    };
    for (let beat = 0; beat < 2; beat++) {
      clock.advance(30_000);
      await nextPing(mute);
      alive.send(rawFrame(OPCODES.pong, (await nextPing(alive)).payload));
      // Frames other than a pong do not count as an answer.
      mute.send(rawFrame(OPCODES.text, JSON.stringify({ type: 'ping', id: `p${beat}`, timestamp: 1, payload: {} })));
      await mute.readFrame();
      // The response to a later frame proves that the pong was read.
      alive.send(rawFrame(OPCODES.text, JSON.stringify({ type: 'ping', id: `p${beat}`, timestamp: 1, payload: {} })));
      await alive.readFrame();
    }
    clock.advance(30_000);
    expect(await mute.readClose()).toEqual({ code: 4009, reason: 'Heartbeat lost' });
    await mute.ended();
    await nextPing(alive);
    alive.destroy();
    await gateway.close();
  });

  it('[T-17] more than 20 pings a second end the connection with 4008', async () => {
    const gateway = await startTransport({ clock: new ManualClock() });
    const raw = await RawSocket.upgrade(gateway.port);
    for (let i = 0; i < 20; i++) raw.send(rawFrame(OPCODES.ping, 'x'));
    raw.send(rawFrame(OPCODES.text, JSON.stringify({ type: 'ping', id: 'p', timestamp: 1, payload: {} })));
    for (
      let frame = await raw.readFrame();
      frame.opcode !== OPCODES.text || !frame.payload.includes('"pong"');
      frame = await raw.readFrame()
    );
    raw.send(Buffer.concat(Array.from({ length: 10_000 }, () => rawFrame(OPCODES.ping, 'x'))));
    expect(await raw.readClose()).toEqual({ code: 4008, reason: 'Rate limit ignored' });
    raw.destroy();
    await expectGoodService(gateway.port);
    await gateway.close();
  });

  it('[T-18] an address has a limited number of connections: one more is 429, and a close frees a place', async () => {
    const gateway = await startTransport({ settings: { 'limits.connections_per_address': 3 } });
    const clients = await Promise.all([1, 2, 3].map(() => FrameClient.open(gateway.port)));
    await expect(FrameClient.open(gateway.port)).rejects.toThrow('HTTP 429');
    await clients[0]!.close();
    await expect
      .poll(() =>
        expectGoodService(gateway.port).then(
          () => 'served',
          (error: Error) => error.message,
        ),
      )
      .toBe('served');
    await gateway.close();
  });

  it('[T-19] too many messages are RATE_LIMITED with a retry delay, and a hundred refusals in 10 s close with 4008', async () => {
    const clock = new ManualClock();
    const flooder = 'a-token-of-a-flooder';
    const tokens = [
      { token: flooder, principal: 'flooder', role: 'operator' },
      { token: TOKEN, principal: 'neighbour', role: 'operator' },
    ];
    const settings = { 'limits.messages_per_minute': 2, 'auth.tokens': tokens };
    const gateway = await startTransport({ clock, settings });
    const client = await FrameClient.open(gateway.port, '', { headers: { authorization: `Bearer ${flooder}` } });
    for (const content of ['1', '2']) await client.answerTo(client.send('message_in', aMessage(content)));
    const refused = await client.answerTo(client.send('message_in', aMessage('3')));
    expect(refused.payload).toMatchObject({ code: 'RATE_LIMITED', retryable: true, retry_after_ms: 30_000 });
    for (let i = 0; i < 98; i++) client.send('message_in', aMessage('again'));
    await client.answerTo(client.send('ping'));
    clock.advance(10_001);
    for (let i = 0; i < 99; i++) client.send('message_in', aMessage('again'));
    await client.answerTo(client.send('ping'));
    client.send('message_in', aMessage('the hundredth'));
    expect(await client.ended).toEqual({ code: 4008, reason: 'Rate limit ignored' });
    await expectGoodService(gateway.port, TOKEN);
    await gateway.close();
  });
});
