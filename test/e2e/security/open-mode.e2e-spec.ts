import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LocalToken } from '../../../src/auth/index.js';
import { ManualClock } from '../../../src/testing/index.js';
import { FrameClient } from '../../support/frame-client.js';
import { httpRequest } from '../../support/http-request.js';
import { startTransport, type TransportApp } from '../../support/transport-app.js';
import { bearer, controllers, expectGoodService } from './support.js';

describe('without a credential configured', () => {
  let gateway: TransportApp;
  beforeAll(async () => void (gateway = await startTransport({ controllers, clock: new ManualClock() })));
  afterAll(() => gateway.close());
  afterEach(() => expectGoodService(gateway.port));

  const endOf = async (headers: Record<string, string>) => {
    const client = await FrameClient.open(gateway.port, '', { headers });
    const first = await Promise.race([client.ended, client.next('acme.connected')]);
    client.socket.terminate();
    return first;
  };
  const OPEN = { payload: { role: 'operator' } };
  const UNAUTHORIZED = { code: 4001, reason: 'Unauthorized' };
  const who = async (headers: Record<string, string> = {}) =>
    (await httpRequest(gateway.port, '/whoami', { headers })).json()['principal'];

  it('[X-07] a program on this machine is `local`, over WebSocket and HTTP, whatever token it sends', async () => {
    expect(await endOf({})).toMatchObject(OPEN);
    expect(await endOf(bearer('a-token-of-yesterday'))).toMatchObject(OPEN);
    expect(await who()).toBe('local');
  });

  it('[X-45] administration needs the local token, and says so', async () => {
    const read = (headers = {}) => httpRequest(gateway.port, '/admin/things', { headers });
    for (const headers of [{}, bearer('a-token-of-yesterday')]) {
      const { status, text } = await read(headers);
      expect([status, text]).toEqual([403, expect.stringContaining('local.token beside the store')]);
    }
    const { value } = gateway.app.get(LocalToken, { strict: false });
    expect((await read(bearer(value))).json()).toEqual({ caller: 'local' });
    expect((await read({ ...bearer(value), 'X-Forwarded-For': '127.0.0.1' })).status).toBe(401);
  });

  it.each([
    ['Forwarded', 'for=127.0.0.1'],
    ['X-Forwarded-For', '127.0.0.1'],
    ['X-Forwarded-For', ''],
    ['X-Forwarded-Host', '127.0.0.1'],
    ['x-forwarded-proto', 'http'],
    ['X-Real-IP', '127.0.0.1'],
    ['Tailscale-User-Login', 'ada@example.com'],
  ])('[X-09] a forwarded request (%s: %s) is not trusted, although its peer is loopback', async (name, value) => {
    expect(await endOf({ [name]: value })).toEqual(UNAUTHORIZED);
    expect(await who({ [name]: value })).toBeNull();
  });

  it("[X-07] a page of this machine on the gateway's port is accepted; a foreign one has no principal over HTTP", async () => {
    const { port } = gateway;
    for (const host of ['localhost', '127.0.0.1', '[::1]'])
      expect(await endOf({ origin: `http://${host}:${port}` })).toMatchObject(OPEN);
    expect(await who({ origin: `http://localhost:${port}` })).toBe('local');
    for (const origin of ['http://evil.example', 'null', `http://localhost:${port + 1}`])
      expect(await who({ origin })).toBeNull();
  });
});
