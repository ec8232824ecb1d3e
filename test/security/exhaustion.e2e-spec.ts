import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { FrameClient } from '../support/frame-client.js';
import { OPCODES, RawSocket, rawFrame } from '../support/raw-socket.js';
import { TestNode } from '../support/test-node.js';
import { bearer, GUESS, TOKENS, useTarget } from './target.js';

const MAX_CONNECTIONS = 60;
const MAX_MESSAGES = 150;
const target = useTarget({
  settings: {
    gateway: { trusted_proxies: ['127.0.0.1'] },
    limits: { connections_per_address: MAX_CONNECTIONS, messages_per_minute: MAX_MESSAGES },
  },
});
const host = () => `Host: 127.0.0.1:${target.port}`;
const message = (changes: object = {}) => ({ channel: 'test', sender: 'alice', content: 'hello', ...changes });
const json = { 'content-type': 'application/json' };

describe('slow peers', () => {
  const peers: [name: string, ended: Promise<void>][] = [];
  const open = async (name: string, bytes: string | Buffer) => {
    const raw = await RawSocket.connect(target.port);
    raw.send(bytes);
    peers.push([name, raw.ended()]);
    return raw;
  };

  beforeAll(async () => {
    await open('silence', '');
    await open('half of a request line', 'GET /heal');
    await open('half of a head', `GET / HTTP/1.1\r\n${host()}\r\nX-Slow: `);
    await open(
      'a body that does not come',
      `POST /chat/sign-in HTTP/1.1\r\n${host()}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
    );
    await open(
      'an upload that does not come',
      `POST /media HTTP/1.1\r\n${host()}\r\nAuthorization: Bearer ${TOKENS.driver}\r\nContent-Type: image/png\r\nContent-Length: 1000000\r\n\r\nPNG`,
    );
    await open(
      'a chunk that does not come',
      `POST /chat/sign-in HTTP/1.1\r\n${host()}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{`,
    );
    const upgraded = await RawSocket.upgrade(target.port, '/', { Authorization: `Bearer ${TOKENS.driver}` });
    upgraded.send(rawFrame(OPCODES.text, '{"type":"ping"}').subarray(0, 8));
    peers.push(['half of a frame', upgraded.ended()]);
    const fragments = await RawSocket.upgrade(target.port, '/', { Authorization: `Bearer ${TOKENS.driver}` });
    fragments.send(rawFrame(OPCODES.text, '{', { final: false }));
    peers.push(['a message without its last fragment', fragments.ended()]);
  });

  it('[SE-16] are served beside others, and cut off in the end', async () => {
    expect(peers).toHaveLength(8);
    for (const [, ended] of peers) await ended;
  });
});

describe('a flood', () => {
  it('[SE-16] of pings: 4008', async () => {
    const raw = await RawSocket.upgrade(target.port, '/', { Authorization: `Bearer ${TOKENS.driver}` });
    raw.send(Buffer.concat(Array.from({ length: 200 }, () => rawFrame(OPCODES.ping, 'x'.repeat(125)))));
    expect((await raw.readClose()).code).toBe(4008);
    raw.destroy();
  });

  it('[SE-16] of connections of one address: 429, while others connect', async () => {
    const headers = target.asStranger(bearer(TOKENS.driver));
    const clients: FrameClient[] = [];
    const refused: string[] = [];
    for (let n = 0; n < MAX_CONNECTIONS + 5; n++) {
      await FrameClient.open(target.port, `?client_id=c-${n}`, { headers }).then(
        (client) => clients.push(client),
        (error: Error) => refused.push(error.message),
      );
    }
    expect([clients.length, refused]).toEqual([MAX_CONNECTIONS, Array.from({ length: 5 }, () => 'HTTP 429')]);
    await target.expectService();
    await Promise.all(clients.map((client) => client.close()));
    await expect
      .poll(() => FrameClient.open(target.port, '', { headers }).then((client) => client.close()))
      .toBeUndefined();
  });

  it('[SE-16] of connections under one client name leaves one of them', async () => {
    const clients = await Promise.all(
      Array.from({ length: 20 }, () =>
        FrameClient.open(target.port, '?client_id=same', { headers: bearer(TOKENS.driver) }),
      ),
    );
    const codes: number[] = [];
    for (const client of clients) void client.ended.then(({ code }) => codes.push(code));
    await expect.poll(() => codes).toEqual(Array.from({ length: 19 }, () => 4010));
    for (const client of clients) client.socket.terminate();
  });

  it('[SE-16] of messages: RATE_LIMITED, then 4008, while other senders are served', async () => {
    const flooder = await target.connect(TOKENS.flooder);
    const send = () => flooder.send('message_in', message({ sender: 'flooder' }));
    for (let n = 0; n < MAX_MESSAGES + 40; n++) send();
    const { payload } = await flooder.next((frame) => frame.payload['code'] === 'RATE_LIMITED');
    expect(payload).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    expect(payload['retry_after_ms']).toBeGreaterThan(0);
    await target.expectService();
    // Another name of the client resets no limit: it has what has come back since, not all of it.
    const again = await target.connect(TOKENS.flooder, '?client_id=other');
    for (let n = 0; n < MAX_MESSAGES / 2; n++) again.send('message_in', message({ sender: 'flooder' }));
    await again.next((frame) => frame.payload['code'] === 'RATE_LIMITED');
    for (let n = 0; n < 120; n++) send();
    expect((await flooder.ended).code).toBe(4008);
    await again.close();
  });

  it('[SE-16] of waiting messages: QUEUE_FULL for the session alone', async () => {
    const client = await target.connect();
    const ask = async (content: string) =>
      client.answerTo(client.send('message_in', message({ sender: 'queue-flooder', content })));
    const { session_id } = await ask('/wait 60000');
    const codes = await Promise.all(Array.from({ length: 110 }, async () => (await ask('hello')).payload['code']));
    expect(new Set(codes)).toEqual(new Set([undefined, 'QUEUE_FULL']));
    client.send('cancel', {}, { session_id });
    await client.next(({ type, payload }) => type === 'stream_end' && payload['reason'] === 'cancelled');
    await client.close();
  });

  it('[SE-16] of people, channels and unknown sessions holds no memory for each name', async () => {
    const client = await target.connect(TOKENS.operator);
    for (let n = 0; n < 5_000; n++) client.send('presence', { channel: `c-${n}`, user_id: `u-${n}`, status: 'typing' });
    for (let n = 0; n < 500; n++) client.send('channel_status', { channel: `c-${n}`, status: 'connected' });
    const sessions = Array.from({ length: 1_000 }, (_, n) => ({
      session_id: `s_${'x'.repeat(100)}_${n}`,
      after_seq: 0,
    }));
    for (let n = 0; n < 10; n++) client.send('resume', { sessions });
    const last = client.send('ping');
    await client.next((frame) => frame.correlation_id === last);
    client.socket.terminate();
  });

  it('[SE-05] of guesses: 429 for every kind of credential, while a valid one of the same address passes', async () => {
    const headers = target.asStranger();
    const wrong = { ...headers, ...bearer(GUESS) };
    const post = (path: string, body: object) =>
      target.request(path, { method: 'POST', headers: { ...headers, ...json }, body: JSON.stringify(body) });
    const attempts = [
      () => target.request('/admin/v1/me', { headers: wrong }),
      () => target.request('/metrics', { headers }),
      () => post('/chat/sign-in', { code: GUESS }),
      () =>
        post('/nodes/pair', {
          code: 'ABCDEFGH',
          name: 'n',
          platform: 'test',
          public_key: new TestNode(target.port).publicKey,
        }),
      () =>
        target.request('/admin/v1/me', { headers: { ...headers, ...bearer('eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.') } }),
      () => target.request('/admin/v1/me', { headers: { ...headers, ...bearer('node1.n.1.AAAA.BBBB') } }),
    ];
    const statuses = attempts.map((): number[] => []);
    for (let n = 0; n < 60; n++) {
      const kind = n % attempts.length;
      statuses[kind]?.push((await attempts[kind]!()).status);
    }
    // On a slow machine some pass meanwhile: the limit is one for each three seconds.
    for (const ofKind of statuses) expect(ofKind).toContain(429);
    const connect = () =>
      FrameClient.open(target.port, '', { headers: wrong }).then(
        () => 'upgraded',
        (error: Error) => error.message,
      );
    await expect.poll(connect).toBe('HTTP 429');
    const good = { headers: { ...headers, ...bearer(TOKENS.owner) } };
    expect((await target.request('/admin/v1/me', good)).status).toBe(200);
    await (await FrameClient.open(target.port, '', good)).close();
  });

  it('[SE-05] of guesses counts for all addresses of an IPv6 network', async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 30; n++) {
      const headers = { 'x-forwarded-for': `2001:db8:1:1::${n.toString(16)}`, ...bearer(GUESS) };
      statuses.push((await target.request('/admin/v1/me', { headers })).status);
    }
    expect(statuses).toContain(429);
  });
});

describe('a bomb', () => {
  const post = (body: string, headers: Record<string, string> = {}, path = '/chat/sign-in') =>
    target.request(path, { method: 'POST', headers: target.asStranger({ ...json, ...headers }), body });

  it.each<[string, number, string]>([
    ['100,000 levels', 400, '['.repeat(100_000)],
    ['20,000 values', 400, `[${'1,'.repeat(20_000)}1]`],
    ['300 KB', 413, JSON.stringify('x'.repeat(300_000))],
    ['__proto__', 400, '{"__proto__":{"code":"x"}}'],
    ['half of JSON', 400, '{"code":'],
    ['a number of 100,000 digits', 400, `{"code":${'9'.repeat(100_000)}}`],
  ])('[SE-16] in a body of %s: %i', async (_, status, body) => expect((await post(body)).status).toBe(status));

  it('[SE-16] of compressed zeros is not decompressed', async () => {
    expect((await post('x'.repeat(1_000), { 'content-encoding': 'gzip' })).status).toBeGreaterThanOrEqual(400);
    expect((await post('x'.repeat(1_000), { 'content-encoding': 'br' })).status).toBeGreaterThanOrEqual(400);
  });

  it('[SE-16] of a body at an administration call is 413, with no more of it read', async () => {
    const raw = await RawSocket.connect(target.port);
    raw.send(
      `PATCH /admin/v1/config HTTP/1.1\r\n${host()}\r\nAuthorization: Bearer ${TOKENS.owner}\r\nContent-Type: application/json\r\nContent-Length: 9000000000\r\n\r\n{"`,
    );
    expect((await raw.readHead()).status).toBe(413);
    raw.destroy();
  });

  it('[SE-16] of 2,000 headers is 431', async () => {
    const raw = await RawSocket.connect(target.port);
    raw.send(
      `GET / HTTP/1.1\r\n${host()}\r\n${Array.from({ length: 2_000 }, (_, n) => `X-${n}: ${n}`).join('\r\n')}\r\n\r\n`,
    );
    expect((await raw.readHead()).status).toBe(431);
    raw.destroy();
  });

  it('[SE-16] of large valid frames is handled one by one', async () => {
    const client = await target.connect();
    const metadata = Object.fromEntries(Array.from({ length: 3_900 }, (_, n) => [`key_number_${n}`, 'x'.repeat(40)]));
    const ids = Array.from({ length: 50 }, (_, n) =>
      client.send('message_in', message({ sender: `large-${n}`, metadata })),
    );
    for (const id of ids) await client.answerTo(id);
    await client.close();
  });
});

describe('readers that take nothing', () => {
  const sockets: WebSocket[] = [];
  afterAll(() => sockets.forEach((socket) => socket.terminate()));

  it('[SE-16] of long replies cost at most their buffer', async () => {
    const writer = await target.connect(TOKENS.driver, '?client_id=writer');
    for (let n = 0; n < 5; n++) {
      const socket = new WebSocket(`${target.url.replace('http', 'ws')}/?client_id=slow-${n}`, {
        headers: bearer(TOKENS.driver),
      });
      sockets.push(socket);
      socket.on('error', () => {});
      await new Promise((resolve) => socket.once('open', resolve));
      socket.send(
        JSON.stringify({
          type: 'message_in',
          id: 'long',
          timestamp: 1,
          payload: message({ sender: `slow-${n}`, content: '/blocks 5000' }),
        }),
      );
      socket.pause();
    }
    const id = writer.send('message_in', message({ sender: 'beside', content: '/blocks 10' }));
    const { payload } = await writer.answerTo(id);
    await writer.next(
      (frame) => frame.type === 'stream_end' && frame.payload['message_ref'] === payload['message_ref'],
    );
    await writer.close();
    for (const socket of sockets) socket.terminate();
  });

  it('[SE-16] of HTTP responses are not answered further', async () => {
    const raw = await RawSocket.connect(target.port);
    raw.socket.pause();
    raw.send(`GET /openapi.json HTTP/1.1\r\n${host()}\r\n\r\n`.repeat(15));
    await target.expectService();
    raw.destroy();
  });
});
