import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PhaseService } from '../../../src/core/phase/phase.service.js';
import { FrameClient } from '../../support/frame-client.js';
import { RawSocket, upgradeLines } from '../../support/raw-socket.js';
import { startTransport, type TransportApp } from '../../support/transport-app.js';
import { TOKEN, expectGoodService } from './support.js';

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

  it('[T-01] is served at / only: any other path is 404, with the reason as text', async () => {
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

  it('[T-03] has version 13: any other, or none, is 426, and the response names 13', async () => {
    const answer = await answerTo(upgradeLines(gateway.port, '/', { 'Sec-WebSocket-Version': '8' }));
    expect(answer.status).toBe(426);
    expect(answer.headers.get('sec-websocket-version')).toBe('13');
    for (const version of [undefined, '', '0', '14', '13, 8', ' 13x']) {
      expect(await statusOf('/', { 'Sec-WebSocket-Version': version })).toBe(426);
    }
  });

  it('[T-04] needs a key of 16 bytes: a malformed one, none, or two are 400', async () => {
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

  it('[T-06] with both Content-Length and Transfer-Encoding is 400', async () => {
    const lines = [...upgradeLines(gateway.port), 'Content-Length: 3', 'Transfer-Encoding: chunked'];
    expect((await answerTo(lines)).status).toBe(400);
  });

  it('[T-07] with a head over 16 KiB is 431', async () => {
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

  it('[T-09] may name the client with 1 to 64 allowed characters; anything else is 400', async () => {
    const client = await FrameClient.open(gateway.port, `?client_id=${'a.B_9-'.padEnd(64, 'z')}`);
    expect((await client.next('acme.connected')).payload['client_id']).toBe('a.B_9-'.padEnd(64, 'z'));
    await client.close();
    for (const id of ['', 'a'.repeat(65), 'a%20b', 'a/b', '%00', 'é', '..%2f'])
      expect(await statusOf(`/?client_id=${id}`)).toBe(400);
  });

  it('[T-09] gets a new client_id each time when it has none', async () => {
    const clients = await Promise.all([FrameClient.open(gateway.port), FrameClient.open(gateway.port)]);
    const ids = await Promise.all(
      clients.map(async (client) => (await client.next('acme.connected')).payload['client_id']),
    );
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('[T-10] with an unknown query parameter is refused, and the response lists the known ones', async () => {
    const answer = await answerTo(upgradeLines(gateway.port, '/?clientid=a'));
    expect(answer).toMatchObject({
      status: 400,
      body: expect.stringContaining('client_id, tenant, stream=delta, subscribe=presence') as string,
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
    expect(await offer(`openclaw.bearer.${TOKEN}`)).toEqual([400, undefined]);
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
