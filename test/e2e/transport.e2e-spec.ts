import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  SubscribeMessage,
  WebSocketGateway,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  type WsResponse,
} from '@nestjs/websockets';
import { Injectable, UseGuards } from '@nestjs/common';
import Type from 'typebox';
import { GatewayError, type InboundEnvelope } from '../../src/protocol/index.js';
import type { Connection } from '../../src/core/connections/connection.js';
import { ConnectionManagerService } from '../../src/core/connections/connection-manager.service.js';
import { FrameTypeRegistry } from '../../src/core/connections/frame-type.registry.js';
import { MAX_BUFFERED_BYTES } from '../../src/core/delivery/frame-reader.js';
import { PhaseService } from '../../src/core/phase/phase.service.js';
import { ManualClock } from '../../src/testing/index.js';
import { FrameClient } from '../support/frame-client.js';
import { OPCODES, RawSocket, rawClose, rawFrame, upgradeLines } from '../support/raw-socket.js';
import { RecordingLogs } from '../support/recording-logs.js';
import type { WebSocketConnection } from '../../src/websocket/websocket-connection.js';
import { EchoGateway, startTransport, type TransportApp } from '../support/transport-app.js';

const TOKEN = 'a-token-of-an-operator';
const aMessage = (content: string, sender = 'alice') => ({ channel: 'test', sender, content });

/** The oracle of every case: whatever happened before, a well-behaved client gets its answer. */
async function expectGoodService(port: number): Promise<void> {
  const client = await FrameClient.open(port);
  const id = client.send('message_in', aMessage('still there?'));
  expect((await client.answerTo(id)).payload).toEqual({ content: 'still there?' });
  await client.close();
}

describe('an upgrade', () => {
  let gateway: TransportApp;
  beforeAll(async () => void (gateway = await startTransport()));
  afterAll(() => gateway.close());
  afterEach(() => expectGoodService(gateway.port));

  const answerTo = async (lines: readonly string[]) => {
    const raw = await RawSocket.connect(gateway.port);
    raw.sendLines(lines);
    return raw.readAnswer();
  };
  const statusOf = async (path: string, overrides: Record<string, string | undefined> = {}) =>
    (await answerTo(upgradeLines(gateway.port, path, overrides))).status;

  it('[T-01] is served at / only: any other path is 404, with the reason in words', async () => {
    const answer = await answerTo(upgradeLines(gateway.port, '/socket'));
    expect(answer).toMatchObject({ status: 404, body: expect.stringContaining('at / only') as string });
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    for (const path of ['//', '/ws', '/%2f', '/.', 'http://127.0.0.1/', '*']) expect(await statusOf(path)).toBe(404);
  });

  it('[T-02] is a GET: any other method is 405', async () => {
    const [first = '', ...rest] = upgradeLines(gateway.port);
    const answer = await answerTo([first.replace('GET', 'PUT'), ...rest]);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET');
  });

  it('[T-03] speaks version 13: any other, or none, is 426 and is told the right one', async () => {
    const answer = await answerTo(upgradeLines(gateway.port, '/', { 'Sec-WebSocket-Version': '8' }));
    expect(answer.status).toBe(426);
    expect(answer.headers.get('sec-websocket-version')).toBe('13');
    for (const version of [undefined, '', '0', '14', '13, 8', ' 13x']) {
      expect(await statusOf('/', { 'Sec-WebSocket-Version': version })).toBe(426);
    }
  });

  it('[T-04] needs a key of 16 bytes: a bad one, or none, or two, are 400', async () => {
    for (const key of [undefined, '', 'short', 'A'.repeat(24), `${'A'.repeat(22)}=`]) {
      expect(await statusOf('/', { 'Sec-WebSocket-Key': key })).toBe(400);
    }
    const twice = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    expect((await answerTo([...upgradeLines(gateway.port), twice])).status).toBe(400);
  });

  it('[T-05] has exactly one Host: none or two are 400', async () => {
    expect(await statusOf('/', { Host: undefined })).toBe(400);
    expect((await answerTo([...upgradeLines(gateway.port), `Host: 127.0.0.1:${gateway.port}`])).status).toBe(400);
    expect((await answerTo([...upgradeLines(gateway.port), 'Host: attacker.example'])).status).toBe(400);
  });

  it('[T-06] has no Content-Length beside a Transfer-Encoding: 400', async () => {
    const lines = [...upgradeLines(gateway.port), 'Content-Length: 3', 'Transfer-Encoding: chunked'];
    expect((await answerTo(lines)).status).toBe(400);
  });

  it('[T-07] has a head of at most 16 KiB: a larger one is 431', async () => {
    expect(await statusOf('/', { 'X-Large': 'x'.repeat(17_000) })).toBe(431);
  });

  it('[T-08] leaves other protocols alone: an offer of HTTP/2 is answered as plain HTTP', async () => {
    const { port } = gateway;
    const raw = await RawSocket.connect(port);
    raw.sendLines([
      'GET /nothing HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABk',
    ]);
    expect(await raw.readHead()).toMatchObject({ status: 404 });
    raw.destroy();
  });

  it('[T-09] may name the client with 1 to 64 of a few characters; anything else is 400', async () => {
    const client = await FrameClient.open(gateway.port, `?client_id=${'a.B_9-'.padEnd(64, 'z')}`);
    expect((await client.next('acme.connected')).payload['client_id']).toBe('a.B_9-'.padEnd(64, 'z'));
    await client.close();
    for (const id of ['', 'a'.repeat(65), 'a%20b', 'a/b', '%00', 'é', '..%2f'])
      expect(await statusOf(`/?client_id=${id}`)).toBe(400);
  });

  it('[T-09] is given a client_id when it brings none, another one each time', async () => {
    const clients = await Promise.all([FrameClient.open(gateway.port), FrameClient.open(gateway.port)]);
    const ids = await Promise.all(
      clients.map(async (client) => (await client.next('acme.connected')).payload['client_id']),
    );
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('[T-10] refuses query parameters that it does not know, and names those it does', async () => {
    const answer = await answerTo(upgradeLines(gateway.port, '/?clientid=a'));
    expect(answer).toMatchObject({
      status: 400,
      body: expect.stringContaining('client_id, stream=delta, subscribe=presence') as string,
    });
    for (const query of [
      '?stream=deltas',
      '?subscribe=all',
      '?client_id=a&client_id=b',
      '?stream=delta&stream=delta',
      '?=',
    ]) {
      expect(await statusOf(`/${query}`)).toBe(400);
    }
    const raw = await RawSocket.upgrade(gateway.port, '/?stream=delta&subscribe=presence&client_id=a');
    raw.destroy();
  });

  it('[T-11] selects openclaw.v1 when it is offered, and never echoes anything else', async () => {
    const offer = async (protocols: string) => {
      const raw = await RawSocket.connect(gateway.port);
      raw.sendLines(upgradeLines(gateway.port, '/', { 'Sec-WebSocket-Protocol': protocols }));
      const { status, headers } = await raw.readHead();
      raw.destroy();
      return [status, headers.get('sec-websocket-protocol')];
    };
    expect(await offer(`openclaw.bearer.${TOKEN}, openclaw.v1`)).toEqual([101, 'openclaw.v1']);
    expect(await offer(`openclaw.bearer.${TOKEN}`)).toEqual([101, undefined]);
    expect(await offer('something.else')).toEqual([101, undefined]);
  });

  it('[T-12] offers no compression', async () => {
    const raw = await RawSocket.connect(gateway.port);
    raw.sendLines(
      upgradeLines(gateway.port, '/', { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' }),
    );
    expect((await raw.readHead()).headers.has('sec-websocket-extensions')).toBe(false);
    raw.destroy();
  });

  it('[T-13] is refused with 503 and a Retry-After while the gateway drains', async () => {
    const lifecycle = gateway.app.get(PhaseService);
    lifecycle.moveTo('draining');
    const answer = await answerTo(upgradeLines(gateway.port));
    lifecycle.moveTo('ready');
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('limits of time and number', () => {
  it('[T-14] an upgrade request that is not complete in time is closed', async () => {
    const gateway = await startTransport({ limits: { requestTimeoutMs: 50 } });
    const raw = await RawSocket.connect(gateway.port);
    raw.send('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ');
    expect((await raw.readAnswer()).status).toBe(408);
    const silent = await RawSocket.connect(gateway.port);
    await silent.ended();
    await expectGoodService(gateway.port);
    await gateway.close();
  });

  it('[T-15] a message that is not complete within 30 s closes the connection, fragments and pings in between or not', async () => {
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

  it('[T-15] a peer that always has a message under way is left alone as long as each one comes to its end', async () => {
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

  it('[T-15] the time in which the gateway does not read is not counted', async () => {
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
    // More than may wait, and half a frame behind it.
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

  it('[T-16] a peer that answers none of two pings in a row is terminated with 4009; one that does stays', async () => {
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
      // Traffic that is no pong is no answer.
      mute.send(rawFrame(OPCODES.text, JSON.stringify({ type: 'ping', id: `p${beat}`, timestamp: 1, payload: {} })));
      await mute.readFrame();
      // The pong was read when what was sent behind it is answered.
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

  it('[T-18] an address has only so many connections: one more is 429, and the place is free again after a close', async () => {
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

  it('[T-19] too many messages are RATE_LIMITED with the time to wait, and a hundred refusals in 10 s close with 4008', async () => {
    const clock = new ManualClock();
    const gateway = await startTransport({ clock, settings: { 'limits.messages_per_minute': 2 } });
    const client = await FrameClient.open(gateway.port);
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
    await expectGoodService(gateway.port);
    await gateway.close();
  });
});

describe('what RFC 6455 forbids', () => {
  let gateway: TransportApp;
  const logs = new RecordingLogs();
  beforeAll(
    async () => void (gateway = await startTransport({ logs, settings: { 'gateway.max_frame_bytes': 65_536 } })),
  );
  afterAll(() => gateway.close());
  afterEach(async () => {
    await expectGoodService(gateway.port);
    expect(logs.entries.filter((entry) => entry.level === 'warn' || entry.level === 'error')).toEqual([]);
    expect(JSON.stringify(logs.entries)).not.toContain('node_modules');
  });

  const closeAfter = async (...frames: readonly Buffer[]) => {
    const raw = await RawSocket.upgrade(gateway.port);
    raw.send(Buffer.concat(frames));
    const close = await raw.readClose();
    raw.send(rawClose(close.code));
    await raw.ended();
    return close;
  };

  it('[T-20] binary frames: 1003', async () => {
    expect(await closeAfter(rawFrame(OPCODES.binary, '{}'))).toEqual({
      code: 1003,
      reason: 'Binary frames are not accepted',
    });
    expect(
      (await closeAfter(rawFrame(OPCODES.binary, '', { final: false }), rawFrame(OPCODES.continuation, ''))).code,
    ).toBe(1003);
  });

  it.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong encoding', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['a cut sequence', [0xe2, 0x82]],
  ])('[T-21] invalid UTF-8 (%s): 1007', async (_, bytes) => {
    expect(await closeAfter(rawFrame(OPCODES.text, Buffer.from(bytes)))).toEqual({
      code: 1007,
      reason: 'Invalid UTF-8',
    });
  });

  it('[T-21] a character that is cut between two fragments is whole again', async () => {
    const raw = await RawSocket.upgrade(gateway.port);
    await raw.readFrame();
    const text = Buffer.from(JSON.stringify({ type: 'message_in', id: '1', timestamp: 1, payload: aMessage('🦞') }));
    const cut = text.indexOf(0xf0) + 2;
    raw.send(rawFrame(OPCODES.text, text.subarray(0, cut), { final: false }));
    raw.send(rawFrame(OPCODES.ping, 'between'));
    raw.send(rawFrame(OPCODES.continuation, text.subarray(cut)));
    expect(await raw.readFrame()).toEqual({ opcode: OPCODES.pong, payload: Buffer.from('between') });
    expect((await raw.readFrame()).payload.toString()).toContain('"content":"🦞"');
    raw.destroy();
  });

  it('[T-22] a frame of exactly max_frame_bytes passes; one byte more, said or sent: 1009', async () => {
    const client = await FrameClient.open(gateway.port);
    const frame = JSON.stringify({ type: 'ping', id: 'large', timestamp: 1, payload: {} });
    client.socket.send(frame + ' '.repeat(65_536 - frame.length));
    await client.answerTo('large');
    client.socket.send(frame + ' '.repeat(65_537 - frame.length));
    expect(await client.ended).toEqual({ code: 1009, reason: 'Frame too big' });
    const claim = (claimedLength: bigint) => closeAfter(rawFrame(OPCODES.text, '', { claimedLength }));
    for (const length of [65_537n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n]) {
      expect(await claim(length)).toEqual({ code: 1009, reason: 'Frame too big' });
    }
  });

  it('[T-22] a message cut into fragments is as big as all of them, and has at most so many: 1009', async () => {
    const piece = rawFrame(OPCODES.continuation, 'x'.repeat(8_192), { final: false });
    const first = rawFrame(OPCODES.text, '', { final: false });
    expect((await closeAfter(first, ...Array.from({ length: 9 }, () => piece))).code).toBe(1009);
    const empty = rawFrame(OPCODES.continuation, '', { final: false });
    expect((await closeAfter(first, ...Array.from({ length: 5_000 }, () => empty))).code).toBe(1009);
  });

  it.each([
    ['an unmasked frame', [rawFrame(OPCODES.text, '{}', { masked: false })]],
    ['the first reserved bit', [rawFrame(OPCODES.text, '{}', { reserved: 4 })]],
    ['the second reserved bit', [rawFrame(OPCODES.text, '{}', { reserved: 2 })]],
    ['the third reserved bit', [rawFrame(OPCODES.ping, '', { reserved: 1 })]],
    ['a reserved data opcode', [rawFrame(3, '{}')]],
    ['a reserved control opcode', [rawFrame(11, '')]],
    ['a fragmented ping', [rawFrame(OPCODES.ping, '', { final: false })]],
    ['a ping of 126 bytes', [rawFrame(OPCODES.ping, 'x'.repeat(126))]],
    ['a continuation of nothing', [rawFrame(OPCODES.continuation, '{}')]],
    ['a new message inside another', [rawFrame(OPCODES.text, '{', { final: false }), rawFrame(OPCODES.text, '}')]],
    ['a close of one byte', [rawFrame(OPCODES.close, 'x')]],
    ['a close with a code that does not exist', [rawClose(999)]],
    ['a close with a code that may not be sent', [rawClose(1006)]],
    ['a close with a code of nobody', [rawClose(2_999)]],
  ])('[T-23] %s: 1002', async (_, frames) => {
    expect(await closeAfter(...frames)).toEqual({ code: 1002, reason: 'Protocol error' });
  });

  it('[T-23] a close whose reason is no UTF-8: 1007', async () => {
    expect((await closeAfter(rawFrame(OPCODES.close, Buffer.from([0x03, 0xe8, 0xff])))).code).toBe(1007);
  });

  it('[T-24] a close is answered with the same code, and frames before it are still handled', async () => {
    const raw = await RawSocket.upgrade(gateway.port);
    await raw.readFrame();
    const ping = rawFrame(OPCODES.text, JSON.stringify({ type: 'ping', id: 'last', timestamp: 1, payload: {} }));
    raw.send(ping);
    expect((await raw.readFrame()).payload.toString()).toContain('"correlation_id":"last"');
    raw.send(rawClose(1000, 'bye'));
    expect(await raw.readClose()).toEqual({ code: 1000, reason: 'bye' });
    await raw.ended();
  });

  it('[T-25] a peer that does not answer a close is cut off', async () => {
    const clock = new ManualClock();
    const own = await startTransport({ clock });
    const raw = await RawSocket.upgrade(own.port);
    raw.send(rawFrame(OPCODES.binary, 'x'));
    expect((await raw.readClose()).code).toBe(1003);
    clock.advance(5_000);
    await raw.ended();
    await own.close();
  });

  it('[T-26] a peer that vanishes, mid-frame or not, leaves nothing behind', async () => {
    const connections = gateway.app.get(ConnectionManagerService);
    const raw = await RawSocket.upgrade(gateway.port);
    await raw.readFrame();
    raw.send(rawFrame(OPCODES.text, '{"type":').subarray(0, 5));
    raw.socket.resetAndDestroy();
    await expect.poll(() => connections.count).toBe(0);
  });
});

describe('frames', () => {
  let gateway: TransportApp;
  let client: FrameClient;
  const logs = new RecordingLogs();

  @WebSocketGateway(18789)
  class StepGateway implements OnGatewayConnection<Connection>, OnGatewayDisconnect<Connection> {
    readonly disconnected: string[] = [];
    private readonly gates = new Map<string, () => void>();

    async handleConnection(connection: Connection): Promise<void> {
      if (connection.clientId === 'held') await new Promise<void>((resolve) => this.gates.set('connection', resolve));
      if (connection.clientId === 'unlucky') throw new Error('a secret cause');
    }

    handleDisconnect(connection: Connection): void {
      this.disconnected.push(connection.clientId);
    }

    open(name: string): void {
      this.gates.get(name)?.();
      this.gates.delete(name);
    }

    get waiting(): string[] {
      return [...this.gates.keys()];
    }

    @SubscribeMessage('acme.wait')
    async wait(connection: Connection, { id, payload }: InboundEnvelope): Promise<void> {
      await new Promise<void>((resolve) => this.gates.set((payload as { gate: string }).gate, resolve));
      connection.tell({ kind: 'extension', type: 'acme.waited', payload: {}, requestId: id });
    }

    @SubscribeMessage('acme.fail')
    fail(_connection: Connection, { payload }: InboundEnvelope): void {
      if ('known' in payload) throw new GatewayError('NOT_FOUND', { what: 'a thing' });
      throw new Error('a secret cause');
    }

    @SubscribeMessage('acme.typed')
    answer(_connection: Connection, { payload }: InboundEnvelope): WsResponse<object> {
      return { event: 'acme.typed_answer', data: payload };
    }

    @UseGuards({ canActivate: () => false })
    @SubscribeMessage('acme.guarded')
    guarded(): void {}
  }

  @Injectable()
  class AcmeFrames {
    constructor(types: FrameTypeRegistry) {
      types.register('acme.typed', {
        payload: Type.Object({ n: Type.Integer() }, { additionalProperties: false }),
        scope: 'tools:call',
      });
    }
  }

  const tokens = [
    { token: TOKEN, principal: 'op', role: 'operator' },
    { token: 'a-token-of-a-channel', principal: 'telegram', role: 'channel', scopes: ['presence:write'] },
    { token: 'a-token-of-a-node', principal: 'kitchen', role: 'node' },
  ];
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  const open = (query = '', token = TOKEN) => FrameClient.open(gateway.port, query, bearer(token));

  beforeAll(async () => {
    gateway = await startTransport({
      logs,
      gateways: [EchoGateway, StepGateway, AcmeFrames],
      settings: { 'auth.tokens': tokens },
    });
  });
  afterAll(() => gateway.close());
  afterEach(async () => {
    client = await open();
    expect((await client.answerTo(client.send('message_in', aMessage('hi')))).payload).toEqual({ content: 'hi' });
    await client.close();
  });

  it('[T-30] are handled in the order in which they came, each after the one before', async () => {
    const steps = gateway.app.get(StepGateway);
    client = await open();
    const first = client.send('acme.wait', { gate: 'a' });
    const second = client.send('message_in', aMessage('second'));
    const third = client.send('acme.wait', { gate: 'b' });
    await expect.poll(() => steps.waiting).toEqual(['a']);
    expect(client.unread.filter((frame) => frame.correlation_id)).toEqual([]);
    steps.open('a');
    await client.answerTo(second);
    await expect.poll(() => steps.waiting).toEqual(['b']);
    expect(client.unread.map((frame) => frame.correlation_id)).toContain(first);
    steps.open('b');
    await client.answerTo(third);
    await client.close();
  });

  it('[T-30] of one connection do not wait for those of another', async () => {
    const steps = gateway.app.get(StepGateway);
    client = await open();
    const other = await open();
    client.send('acme.wait', { gate: 'long' });
    await expect.poll(() => steps.waiting).toEqual(['long']);
    await other.answerTo(other.send('ping'));
    steps.open('long');
    await client.close();
    await other.close();
  });

  it('[T-31] are not handled before handleConnection has resolved', async () => {
    const steps = gateway.app.get(StepGateway);
    client = await open('?client_id=held');
    const id = client.send('ping');
    await expect.poll(() => steps.waiting).toEqual(['connection']);
    expect(gateway.app.get(ConnectionManagerService).list()).toEqual([]);
    expect(client.unread.map((frame) => frame.type)).toEqual(['acme.connected']);
    steps.open('connection');
    await client.answerTo(id);
    await client.close();
  });

  it('[T-31] a connection that cannot be taken in is told so and closed', async () => {
    client = await open('?client_id=unlucky');
    const refusal = await client.next('error');
    expect(refusal.payload).toMatchObject({ code: 'INTERNAL' });
    expect(JSON.stringify(refusal)).not.toContain('secret');
    expect((await client.ended).code).toBe(1001);
  });

  it('[T-26] a connection that ends before it was taken in is never listed', async () => {
    const steps = gateway.app.get(StepGateway);
    client = await open('?client_id=held');
    await expect.poll(() => steps.waiting).toEqual(['connection']);
    await client.close();
    steps.open('connection');
    await expect.poll(() => steps.disconnected).toContain('held');
    expect(gateway.app.get(ConnectionManagerService).list()).toEqual([]);
  });

  it('[T-32] that arrived before the end are handled before the end is told', async () => {
    const steps = gateway.app.get(StepGateway);
    client = await open('?client_id=leaver');
    client.send('acme.wait', { gate: 'last' });
    await expect.poll(() => steps.waiting).toEqual(['last']);
    await client.close();
    expect(steps.disconnected).not.toContain('leaver');
    steps.open('last');
    await expect.poll(() => steps.disconnected).toContain('leaver');
  });

  it('[T-33] that nobody handles are UNKNOWN_TYPE, with a hint where there is one', async () => {
    client = await open();
    const refused = async (type: string) => (await client.answerTo(client.send(type))).payload;
    expect(await refused('nonsense')).toMatchObject({ code: 'UNKNOWN_TYPE', details: { type: 'nonsense' } });
    expect(await refused('node_register')).toMatchObject({
      code: 'UNKNOWN_TYPE',
      details: { hint: 'device nodes are not part of this version' },
    });
    expect(await refused('stream_end')).toMatchObject({
      code: 'UNKNOWN_TYPE',
      details: { hint: 'only the gateway sends it' },
    });
    expect(await refused('acme.nothing')).toMatchObject({ code: 'UNKNOWN_TYPE' });
    expect(await refused('toString')).toMatchObject({ code: 'UNKNOWN_TYPE' });
    const long = await refused('😀'.repeat(10_000));
    expect(JSON.stringify(long).length).toBeLessThan(1_000);
    await client.close();
  });

  it('[T-34] need the scope of their type: FORBIDDEN names the one that is missing', async () => {
    client = await open('', 'a-token-of-a-channel');
    const answer = await client.answerTo(client.send('message_in', aMessage('hi')));
    expect(answer.payload).toMatchObject({ code: 'FORBIDDEN', details: { missing_scope: 'messages:write' } });
    expect((await client.answerTo(client.send('acme.typed', { n: 1 }))).payload).toMatchObject({
      details: { missing_scope: 'tools:call' },
    });
    await client.close();
  });

  it('[T-34] of a node serve tools only', async () => {
    client = await open('', 'a-token-of-a-node');
    for (const type of ['message_in', 'acme.fail']) {
      expect((await client.answerTo(client.send(type, aMessage('hi')))).payload).toMatchObject({ code: 'FORBIDDEN' });
    }
    await client.close();
  });

  it('[T-35] with a wrong payload are INVALID_PAYLOAD, with a JSON pointer for each fault', async () => {
    client = await open();
    const answer = await client.answerTo(
      client.send('message_in', { channel: 'test', sender: '', content: 'x', colour: 'red' }, { session_id: 's_1' }),
    );
    expect(answer).toMatchObject({ session_id: 's_1', payload: { code: 'INVALID_PAYLOAD', retryable: false } });
    const { faults } = answer.payload['details'] as { faults: { pointer: string }[] };
    expect(faults.map((fault) => fault.pointer).sort()).toEqual(['/colour', '/sender']);
    await client.close();
  });

  it('[T-36] of an extension are checked by the schema that it registered, and may be answered by returning', async () => {
    client = await open();
    expect(await client.answerTo(client.send('acme.typed', { n: 1 }))).toMatchObject({
      type: 'acme.typed_answer',
      payload: { n: 1 },
    });
    expect((await client.answerTo(client.send('acme.typed', { n: 'one' }))).payload).toMatchObject({
      code: 'INVALID_PAYLOAD',
    });
    await client.close();
  });

  it('[T-37] whose handler throws are answered by an error frame; an unexpected cause stays in the log', async () => {
    client = await open();
    expect((await client.answerTo(client.send('acme.fail', { known: true }))).payload).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect((await client.answerTo(client.send('acme.guarded'))).payload).toMatchObject({ code: 'FORBIDDEN' });
    const answer = await client.answerTo(client.send('acme.fail', { text: 'what was sent' }));
    expect(answer.payload).toMatchObject({ code: 'INTERNAL', retryable: false });
    expect(JSON.stringify(answer)).not.toMatch(/secret|what was sent/);
    const { error_id: errorId } = answer.payload['details'] as { error_id: string };
    const logged = logs.entries.find(
      (entry) => entry.level === 'error' && JSON.stringify(entry.fields).includes(errorId),
    );
    expect((logged?.fields as { error: Error }).error.message).toBe('a secret cause');
    await client.close();
  });

  it('[T-38] that are no envelopes are INVALID_FRAME, under their id where it can be read', async () => {
    client = await open();
    client.socket.send('{"id":"slip","timestamp":1,"payload":{},"typ":"ping"}');
    expect((await client.answerTo('slip')).payload).toMatchObject({ code: 'INVALID_FRAME' });
    client.socket.send('not JSON');
    expect((await client.next('error')).payload).toMatchObject({ code: 'INVALID_FRAME' });
    await client.close();
  });

  it('[T-39] ten of which in a row are INVALID_FRAME close the connection with 4002; a good one between starts anew', async () => {
    client = await open();
    for (let i = 0; i < 9; i++) client.socket.send('x');
    await client.answerTo(client.send('ping'));
    for (let i = 0; i < 10; i++) client.socket.send('x');
    expect(await client.ended).toEqual({ code: 4002, reason: 'Too many invalid frames' });
    expect(client.unread.filter((frame) => frame.type === 'error')).toHaveLength(19);
  });

  it('[T-40] sent after the gateway has closed are not handled', async () => {
    const steps = gateway.app.get(StepGateway);
    const raw = await RawSocket.upgrade(gateway.port, '/', { Authorization: `Bearer ${TOKEN}` });
    const wait = JSON.stringify({ type: 'acme.wait', id: '1', timestamp: 1, payload: { gate: 'never' } });
    raw.send(Buffer.concat([rawFrame(OPCODES.binary, 'x'), rawFrame(OPCODES.text, wait)]));
    expect((await raw.readClose()).code).toBe(1003);
    raw.send(rawFrame(OPCODES.text, wait));
    raw.send(rawClose(1003));
    await raw.ended();
    expect(steps.waiting).toEqual([]);
  });
});

describe('connections', () => {
  it('[T-41] an older connection of the same client is closed with 4010; another principal or another name is another client', async () => {
    const tokens = [
      { token: TOKEN, principal: 'one', role: 'operator' },
      { token: 'another-token-of-op', principal: 'two', role: 'operator' },
    ];
    const gateway = await startTransport({ settings: { 'auth.tokens': tokens } });
    const open = (query: string, token = TOKEN) =>
      FrameClient.open(gateway.port, query, { headers: { authorization: `Bearer ${token}` } });
    const older = await open('?client_id=a');
    const others = [await open('?client_id=a', 'another-token-of-op'), await open('?client_id=b')];
    const newer = await open('?client_id=a');
    expect(await older.ended).toEqual({ code: 4010, reason: 'Replaced by a newer connection of this client' });
    for (const client of [...others, newer]) await client.answerTo(client.send('ping'));
    expect(gateway.app.get(ConnectionManagerService).count).toBe(3);
    await gateway.close();
  });

  it('[T-42] a client that sends and does not read makes the gateway stop reading, and loses nothing when it reads again', async () => {
    const gateway = await startTransport({ settings: { 'limits.messages_per_minute': 1_000_000 } });
    const connections = gateway.app.get(ConnectionManagerService);
    const client = await FrameClient.open(gateway.port);
    await client.answerTo(client.send('ping'));
    const [connection] = connections.list();
    client.socket.pause();
    const content = 'x'.repeat(16_384);
    const ids: string[] = [];
    // More than all the buffers between here and there can hold.
    while (client.socket.bufferedAmount < 4 * MAX_BUFFERED_BYTES) {
      for (let i = 0; i < 64; i++) ids.push(client.send('message_in', aMessage(content)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(connection!.bufferedBytes).toBeGreaterThan(MAX_BUFFERED_BYTES / 2);
    expect(connection!.bufferedBytes).toBeLessThan(MAX_BUFFERED_BYTES * 2);
    await expectGoodService(gateway.port);
    client.socket.resume();
    for (const id of ids) await client.answerTo(id);
    await client.close();
    await gateway.close();
  });

  it('[T-43] a peer that takes nothing for a minute is closed with 4013, though no session of it has frames', async () => {
    const clock = new ManualClock();
    const gateway = await startTransport({ clock });
    const raw = await RawSocket.upgrade(gateway.port);
    await raw.readFrame();
    const [connection] = gateway.app.get(ConnectionManagerService).list() as WebSocketConnection[];
    raw.socket.pause();
    while (!(await staysFull(connection!))) connection!.send('x'.repeat(1_000_000));
    // The first beat sees that something was taken, the next that nothing was; from then on the minute counts.
    clock.advance(4 * 30_000 - 1);
    expect(connection!.isAlive).toBe(true);
    clock.advance(1);
    raw.socket.resume();
    expect(await raw.readClose()).toEqual({ code: 4013, reason: 'Reader too slow' });
    raw.destroy();
    await gateway.close();
  });

  it('[T-44] whenWritable resolves when the peer has taken enough, and when it is gone', async () => {
    const gateway = await startTransport();
    const connections = gateway.app.get(ConnectionManagerService);
    const client = await FrameClient.open(gateway.port);
    await client.answerTo(client.send('ping'));
    const [connection] = connections.list();
    const filler = { kind: 'extension', type: 'acme.filler', payload: { text: 'x'.repeat(1_000_000) } } as const;
    await connection!.whenWritable();
    client.socket.pause();
    while (!(await staysFull(connection!))) connection!.tell(filler);
    const writable = connection!.whenWritable();
    client.socket.resume();
    await writable;
    expect(connection!.bufferedBytes).toBeLessThanOrEqual(MAX_BUFFERED_BYTES / 2);
    client.socket.pause();
    while (!(await staysFull(connection!))) connection!.tell(filler);
    const gone = connection!.whenWritable();
    client.socket.terminate();
    await gone;
    await gateway.close();
  });

  it('[T-45] answers of one turn of the event loop leave in one write', async () => {
    const gateway = await startTransport();
    const raw = await RawSocket.upgrade(gateway.port);
    await raw.readFrame();
    let chunks = 0;
    raw.socket.on('data', () => chunks++);
    const frames = Array.from({ length: 100 }, (_, i) =>
      rawFrame(OPCODES.text, JSON.stringify({ type: 'ping', id: String(i), timestamp: 1, payload: {} })),
    );
    raw.send(Buffer.concat(frames));
    for (let i = 0; i < 100; i++)
      expect((await raw.readFrame()).payload.toString()).toContain(`"correlation_id":"${i}"`);
    expect(chunks).toBe(1);
    raw.destroy();
    await gateway.close();
  });

  it('[T-46] are closed with 1012 when the gateway stops, and no upgrade is taken then', async () => {
    const gateway = await startTransport();
    const clients = await Promise.all([1, 2, 3].map(() => FrameClient.open(gateway.port)));
    const stopped = gateway.close();
    for (const client of clients) expect(await client.ended).toEqual({ code: 1012, reason: 'Gateway restarting' });
    await stopped;
    await expect(FrameClient.open(gateway.port)).rejects.toThrow('ECONNREFUSED');
  });

  it('[T-47] live on the port of HTTP, which goes on answering', async () => {
    const gateway = await startTransport();
    await expectGoodService(gateway.port);
    const status = await new Promise((resolve, reject) =>
      request({ port: gateway.port, path: '/nothing' }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end(),
    );
    expect(status).toBe(404);
    await gateway.close();
  });
});

describe('gateway classes of an application', () => {
  const start = (...gateways: NonNullable<Parameters<typeof startTransport>[0]>['gateways'] & object) =>
    startTransport({ gateways });

  it('[T-48] stop the start when two handle the same type, and are both named', async () => {
    @WebSocketGateway(18789)
    class Rival {
      @SubscribeMessage('ping')
      ping(): void {}
    }
    await expect(start(EchoGateway, Rival)).rejects.toThrow('EchoGateway and Rival both handle "ping"');
  });

  it("[T-48] stop the start when a type is neither the protocol's nor vendor.name", async () => {
    @WebSocketGateway(18789)
    class Odd {
      @SubscribeMessage('stream_end')
      end(): void {}
    }
    await expect(start(Odd)).rejects.toThrow('Odd handles "stream_end", which is no frame type');
  });

  it('[T-48] stop the start when one wants a path of its own', async () => {
    @WebSocketGateway(18789, { path: '/own' })
    class Elsewhere {}
    await expect(start(Elsewhere)).rejects.toThrow('Elsewhere: a gateway class has no path');
  });

  it('[T-48] may name other ports, and are served on the one port all the same', async () => {
    @WebSocketGateway(4711)
    class Extension {
      @SubscribeMessage('acme.hello')
      hello(): WsResponse<object> {
        return { event: 'acme.hello', data: { hello: 'world' } };
      }
    }
    const gateway = await start(EchoGateway, Extension);
    const client = await FrameClient.open(gateway.port);
    expect((await client.answerTo(client.send('acme.hello'))).payload).toEqual({ hello: 'world' });
    await client.answerTo(client.send('ping'));
    await gateway.close();
  });
});

/** Whether the peer has stopped taking what is sent: several turns of the event loop change nothing. */
async function staysFull(connection: Connection): Promise<boolean> {
  const before = connection.bufferedBytes;
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  return before > MAX_BUFFERED_BYTES && connection.bufferedBytes === before;
}
