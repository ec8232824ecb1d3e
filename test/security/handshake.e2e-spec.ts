import { describe, expect, it } from 'vitest';
import { foreignHosts, foreignOrigins } from '../support/foreign-names.js';
import { httpRequest } from '../support/http-request.js';
import { OPCODES, RawSocket, rawClose, rawFrame, upgradeLines } from '../support/raw-socket.js';
import { bearer, TOKENS, useTarget } from './target.js';

const LISTED = 'https://chat.example';
const target = useTarget({
  settings: { gateway: { allowed_origins: [LISTED], allowed_hosts: ['gateway.example', 'only.example:8443'] } },
});

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
/** Returns the status of an upgrade with these changes to its headers. */
async function upgrade(changes: Record<string, string | undefined> = {}, path = '/', more: readonly string[] = []) {
  const raw = await RawSocket.connect(target.port);
  raw.sendLines([...upgradeLines(target.port, path, { ...bearerHeader, ...changes }), ...more]);
  const { status } = await raw.readHead();
  raw.destroy();
  return status;
}
const bearerHeader = { Authorization: `Bearer ${TOKENS.driver}` };
/** Returns the status of a request of any bytes; 0 if the gateway ends the connection without one. */
async function statusOf(bytes: string) {
  const raw = await RawSocket.connect(target.port);
  raw.send(bytes);
  const status = await raw.readHead().then(
    (head) => head.status,
    () => 0,
  );
  raw.destroy();
  return status;
}
const host = () => `Host: 127.0.0.1:${target.port}`;

describe('an upgrade that breaks RFC 6455 or HTTP', () => {
  it.each<[string, number, Record<string, string | undefined>]>([
    ['version 8', 426, { 'Sec-WebSocket-Version': '8' }],
    ['version 0', 426, { 'Sec-WebSocket-Version': '0' }],
    ['no version', 426, { 'Sec-WebSocket-Version': undefined }],
    ['two versions', 426, { 'Sec-WebSocket-Version': '13, 8' }],
    ['no key', 400, { 'Sec-WebSocket-Key': undefined }],
    ['a key of 15 bytes', 400, { 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAA' }],
    ['a key that is not base64', 400, { 'Sec-WebSocket-Key': '!!!!!!!!!!!!!!!!!!!!!!==' }],
    ['no Host', 400, { Host: undefined }],
    ['a body that is announced twice', 400, { 'Content-Length': '3', 'Transfer-Encoding': 'chunked' }],
    ['a head over 16 KiB', 431, { 'X-Large': 'x'.repeat(17_000) }],
    ['a token alone as subprotocol', 400, { 'Sec-WebSocket-Protocol': `openclaw.bearer.${TOKENS.driver}` }],
  ])('[SE-15] with %s is %i', async (_, status, changes) => expect(await upgrade(changes)).toBe(status));

  it.each([
    ['a second Host', 'Host: 127.0.0.1'],
    ['a second Host of an attacker', 'Host: attacker.example'],
    ['a second key', `Sec-WebSocket-Key: ${KEY}`],
    ['a second Content-Length', 'Content-Length: 1\r\nContent-Length: 2'],
    ['a folded header', 'X-Folded: a\r\n b'],
    ['a header name with a space', 'X Bad: a'],
    ['a header without a name', ': a'],
    ['NUL in a header', 'X-Nul: a\u0000b'],
  ])('[SE-15] with %s is 400', async (_, line) => expect(await upgrade({}, '/', [line])).toBe(400));

  it.each([
    '/socket',
    '//',
    '/ws',
    '/%2f',
    '/.',
    '/..',
    '/%2e%2e/',
    '/chat',
    '/admin/v1/events',
    '*',
    'http://127.0.0.1/',
  ])('[SE-15] at %s is 404', async (path) => expect(await upgrade({}, path)).toBe(404));

  it.each([
    '?clientid=a',
    '?client_id=',
    '?client_id=a&client_id=b',
    '?client_id=%00',
    '?client_id=..%2f',
    '?=',
    '?stream=all',
  ])('[SE-15] with the query %s is 400', async (query) => expect(await upgrade({}, `/${query}`)).toBe(400));

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'HEAD'])('[SE-15] by %s is 405', async (method) => {
    const [, ...lines] = upgradeLines(target.port, '/', bearerHeader);
    expect(await statusOf(`${method} / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)).toBe(405);
  });

  it('[SE-15] gets neither compression nor an unknown subprotocol', async () => {
    const raw = await RawSocket.connect(target.port);
    const offers = {
      'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits; server_max_window_bits=8',
      'Sec-WebSocket-Protocol': 'evil, graphql-ws',
    };
    raw.sendLines(upgradeLines(target.port, '/', { ...bearerHeader, ...offers }));
    const { status, headers } = await raw.readHead();
    raw.destroy();
    expect([status, headers.has('sec-websocket-extensions'), headers.has('sec-websocket-protocol')]).toEqual([
      101,
      false,
      false,
    ]);
  });
});

describe('a request that smuggles or is malformed', () => {
  it.each<[string, readonly number[], (line: string) => string]>([
    [
      'Content-Length with Transfer-Encoding',
      [400],
      (h) => `POST /media HTTP/1.1\r\n${h}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['two lengths', [400], (h) => `POST /media HTTP/1.1\r\n${h}\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd`],
    ['a negative length', [400], (h) => `POST /media HTTP/1.1\r\n${h}\r\nContent-Length: -1\r\n\r\n`],
    ['a signed length', [400], (h) => `POST /media HTTP/1.1\r\n${h}\r\nContent-Length: +4\r\n\r\nabcd`],
    [
      'an obfuscated encoding',
      [400, 501],
      (h) => `POST /chat/sign-in HTTP/1.1\r\n${h}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      'a chunk size that is not a number',
      [400],
      (h) =>
        `POST /chat/sign-in HTTP/1.1\r\n${h}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
    ],
    ['bare line feeds', [400], () => `GET / HTTP/1.1\nHost: 127.0.0.1\n\n`],
    ['a space before the colon', [400], (h) => `GET / HTTP/1.1\r\n${h}\r\nX-A : b\r\n\r\n`],
    ['HTTP/0.9', [400], () => 'GET /\r\n\r\n'],
    ['HTTP/2 without TLS', [400, 505, 0], () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['TLS bytes', [400, 0], () => '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001'.padEnd(300, 'x')],
    ['a method that does not exist', [400], (h) => `HACK / HTTP/1.1\r\n${h}\r\n\r\n`],
    ['a target of this host', [400], (h) => `GET http://127.0.0.1/chat HTTP/1.1\r\n${h}\r\n\r\n`],
    ['a target that is none', [400], (h) => `OPTIONS * HTTP/1.1\r\n${h}\r\n\r\n`],
    ['CONNECT', [400, 404, 405, 0], (h) => `CONNECT 127.0.0.1:22 HTTP/1.1\r\n${h}\r\n\r\n`],
    ['TRACE', [404, 405], (h) => `TRACE / HTTP/1.1\r\n${h}\r\nX-Secret: a\r\n\r\n`],
    [
      'a target of another host',
      [400],
      () => `GET http://evil.example/admin/v1/me HTTP/1.1\r\nHost: evil.example\r\n\r\n`,
    ],
  ])('[SE-15] %s is refused', async (_, statuses, build) => expect(statuses).toContain(await statusOf(build(host()))));

  it('[SE-15] in a body is not read as a request of its own', async () => {
    const hidden = `GET /admin/v1/me HTTP/1.1\r\n${host()}\r\nAuthorization: Bearer ${TOKENS.owner}\r\n\r\n`;
    const answer = await target.sendRaw(
      `POST /chat/sign-in HTTP/1.1\r\n${host()}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
    );
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body).not.toContain('"principal"');
  });

  it('[SE-16] a thousand requests at once on a connection end it', async () => {
    const raw = await RawSocket.connect(target.port);
    raw.send(`GET /health/live HTTP/1.1\r\n${host()}\r\n\r\n`.repeat(1_000));
    await raw.ended();
    raw.destroy();
  });
});

describe('frames that break RFC 6455', () => {
  const closeAfter = async (frames: readonly Buffer[]) => {
    const raw = await RawSocket.upgrade(target.port, '/', bearerHeader);
    raw.send(Buffer.concat(frames));
    const { code, reason } = await raw.readClose();
    raw.send(rawClose(code));
    await raw.ended();
    expect(reason).not.toMatch(/node_modules|at /);
    return code;
  };
  const text = (payload: Buffer | string, options = {}) => rawFrame(OPCODES.text, payload, options);
  const more = (payload: string, options = {}) => rawFrame(OPCODES.continuation, payload, options);
  const bytes = (...values: number[]) => [text(Buffer.from(values))];

  it.each<[string, number, readonly Buffer[]]>([
    ['a binary frame', 1003, [rawFrame(OPCODES.binary, '{}')]],
    ['a fragmented binary frame', 1003, [rawFrame(OPCODES.binary, '', { final: false }), more('')]],
    ['a lone continuation byte', 1007, bytes(0x80)],
    ['an overlong encoding', 1007, bytes(0xc0, 0xaf)],
    ['a surrogate', 1007, bytes(0xed, 0xa0, 0x80)],
    ['a code point beyond Unicode', 1007, bytes(0xf4, 0x90, 0x80, 0x80)],
    ['a cut character', 1007, bytes(0xe2, 0x82)],
    ['UTF-16', 1007, bytes(0xff, 0xfe, 0x7b, 0)],
    ['an unmasked frame', 1002, [text('{}', { masked: false })]],
    ['an unmasked ping', 1002, [rawFrame(OPCODES.ping, '', { masked: false })]],
    ['the first reserved bit (compressed)', 1002, [text('{}', { reserved: 4 })]],
    ['the second reserved bit', 1002, [text('{}', { reserved: 2 })]],
    ['the third reserved bit', 1002, [text('{}', { reserved: 1 })]],
    ['a reserved bit of a ping', 1002, [rawFrame(OPCODES.ping, '', { reserved: 4 })]],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, number, readonly Buffer[]] => [
      `the reserved opcode ${opcode}`,
      1002,
      [rawFrame(opcode, '')],
    ]),
    ['a fragmented ping', 1002, [rawFrame(OPCODES.ping, '', { final: false })]],
    ['a fragmented close', 1002, [rawFrame(OPCODES.close, '', { final: false })]],
    ['a ping of 126 bytes', 1002, [rawFrame(OPCODES.ping, 'x'.repeat(126))]],
    ['a pong of 64 KiB', 1002, [rawFrame(OPCODES.pong, 'x'.repeat(65_536))]],
    ['a continuation of nothing', 1002, [more('{}')]],
    ['a message inside another', 1002, [text('{', { final: false }), text('}')]],
    ['a close of one byte', 1002, [rawFrame(OPCODES.close, 'x')]],
    ['a close whose reason is not UTF-8', 1007, [rawFrame(OPCODES.close, Buffer.from([0x03, 0xe8, 0xff]))]],
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((code): [string, number, readonly Buffer[]] => [
      `the close code ${code}`,
      1002,
      [rawClose(code)],
    ]),
    ['a length of 2^32', 1009, [text('', { claimedLength: 2n ** 32n })]],
    ['a length of 2^53', 1009, [text('', { claimedLength: 2n ** 53n })]],
    ['a length of 2^63 - 1', 1009, [text('', { claimedLength: 2n ** 63n - 1n })]],
    ['a length of 2^64 - 1', 1009, [text('', { claimedLength: 2n ** 64n - 1n })]],
    ['a frame of one byte too many', 1009, [text('x'.repeat(262_145))]],
    [
      'fragments of more than a frame may have',
      1009,
      [text('', { final: false }), ...Array.from({ length: 33 }, () => more('x'.repeat(8_192), { final: false }))],
    ],
    [
      '5,000 empty fragments',
      1009,
      [text('', { final: false }), ...Array.from({ length: 5_000 }, () => more('', { final: false }))],
    ],
  ])('[SE-15] %s: %i', async (_, code, frames) => expect(await closeAfter(frames)).toBe(code));

  it('[SE-15] HTTP after the upgrade: 1002', async () => {
    const raw = await RawSocket.upgrade(target.port, '/', bearerHeader);
    raw.send(`GET /admin/v1/me HTTP/1.1\r\n${host()}\r\n\r\n`);
    expect((await raw.readClose()).code).toBe(1002);
    raw.destroy();
  });

  it('[SE-15] that come with the upgrade in one packet are read after it, and not before the credential was checked', async () => {
    const raw = await RawSocket.connect(target.port);
    const lines = upgradeLines(target.port, '/', { ...bearerHeader, Authorization: 'Bearer canary-guess-0123456789' });
    const frame = text(JSON.stringify({ type: 'ping', id: 'early', timestamp: 1, payload: {} }));
    raw.send(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), frame]));
    expect((await raw.readHead()).status).toBe(101);
    expect(await raw.readClose()).toEqual({ code: 4001, reason: 'Unauthorized' });
    raw.destroy();
  });
});

describe('an Origin', () => {
  it('[SE-02] that is not listed is 403 before the upgrade, whatever it looks like', async () => {
    for (const origin of foreignOrigins(target.port))
      expect([origin, await upgrade({ Origin: origin })]).toEqual([origin, 403]);
  });

  it('[SE-02] that is listed twice, once by an attacker, is 403', async () => {
    expect(await upgrade({ Origin: LISTED }, '/', ['Origin: http://evil.example'])).toBe(403);
  });

  it('[SE-02] that equals the Host says nothing: a page of a name that resolves to this machine is refused', async () => {
    const name = `rebound.example:${target.port}`;
    expect(await upgrade({ Origin: `http://${name}`, Host: name })).toBeGreaterThanOrEqual(403);
    expect((await target.request('/', { headers: { origin: `http://${name}`, host: name } })).status).toBe(421);
  });

  it('[SE-02] that is the own one or listed is accepted', async () => {
    for (const origin of [`http://localhost:${target.port}`, `http://[::1]:${target.port}`, LISTED])
      expect([origin, await upgrade({ Origin: origin })]).toEqual([origin, 101]);
  });
});

describe('a Host of DNS rebinding', () => {
  it('[SE-02] is 421, for upgrades and for every path of HTTP but the probes', async () => {
    const paths = ['/', '/chat', '/health', '/metrics', '/admin/v1/me', '/docs', '/openapi.json', '/auth/session'];
    for (const name of foreignHosts(target.port)) {
      expect([name, await upgrade({ Host: name })]).toEqual([name, 421]);
      const headers = { host: name, ...bearer(TOKENS.owner) };
      const statuses = await Promise.all(paths.map(async (path) => (await target.request(path, { headers })).status));
      expect([name, ...new Set(statuses)]).toEqual([name, 421]);
    }
    for (const probe of ['/health/live', '/health/ready', '/health/startup'])
      expect((await httpRequest(target.port, probe, { headers: { host: '10.1.2.3' } })).status).toBe(200);
  });

  it('[SE-02] that is malformed is 400', async () => {
    for (const name of ['user@localhost', 'a b', 'localhost:port', 'localhost:123456', '[::1', 'localhost/', ''])
      expect([name, await upgrade({ Host: name })]).toEqual([name, 400]);
  });

  it('[SE-02] in a header of a proxy that is not trusted changes nothing', async () => {
    const headers = { 'x-forwarded-host': 'localhost', host: 'evil.example' };
    expect((await target.request('/health', { headers })).status).toBe(421);
  });
});

describe('a path', () => {
  const TRAVERSALS = [
    '/chat/../../package.json',
    '/chat/..%2f..%2fpackage.json',
    '/chat/%2e%2e/%2e%2e/package.json',
    '/chat/assets/..%2findex.html',
    '/chat/assets/..%5c..%5cpackage.json',
    '/chat/assets/%2e%2e%2f%2e%2e%2f%2e%2e%2fpackage.json',
    '/chat/assets/..%252f..%252fpackage.json',
    '/chat/assets/%c0%ae%c0%ae%c0%af',
    '/chat/assets/%00',
    '/chat/assets//etc/passwd',
    '/chat/assets/C:%5cwindows%5cwin.ini',
    '/media/..%2f..%2fgateway.db',
    '/media/..%2f..%2flocal.token',
    '/media/%2fetc%2fpasswd',
    '/media/f_1%00.png',
    '/docs/..%2f..%2fconfig.yaml',
    '/admin/v1/../../config.yaml',
    '/admin/v1/sessions/..%2fconfig',
    '/data/local.token',
    '/config.yaml',
    '/.env',
    '/.git/config',
    '/local.token',
  ];

  it.each(TRAVERSALS)('[SE-23] %s reaches no file', async (path) => {
    // Not fetch, which would resolve the dots itself.
    const { status, text } = await target.request(path, { headers: bearer(TOKENS.owner) });
    expect([400, 404]).toContain(status);
    expect(text).not.toMatch(/openclaw-gateway-nest|root:|tokens|SQLite format/);
  });
});
