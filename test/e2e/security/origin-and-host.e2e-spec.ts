import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { foreignHosts, foreignOrigins } from '../../support/foreign-names.js';
import { httpRequest } from '../../support/http-request.js';
import { RawSocket, upgradeLines } from '../../support/raw-socket.js';
import { startTransport, type TransportApp } from '../../support/transport-app.js';
import { OPERATOR, controllers, expectGoodService } from './support.js';

describe('Origin and Host', () => {
  let gateway: TransportApp;
  const settings = {
    'gateway.allowed_origins': ['https://chat.example', 'http://LAN.example:8080'],
    'gateway.allowed_hosts': ['gateway.example', 'only.example:8443'],
  };
  beforeAll(async () => void (gateway = await startTransport({ controllers, settings })));
  afterAll(() => gateway.close());
  afterEach(() => expectGoodService(gateway.port));

  const upgrade = async (overrides: Record<string, string>) => {
    const raw = await RawSocket.connect(gateway.port);
    raw.sendLines(upgradeLines(gateway.port, '/', overrides));
    const { status } = await raw.readHead();
    raw.destroy();
    return status;
  };

  it('[X-04] an Origin that is not on the list is 403 before any upgrade, look-alikes too', async () => {
    for (const origin of foreignOrigins(gateway.port))
      expect([origin, await upgrade({ Origin: origin })]).toEqual([origin, 403]);
  });

  it('[X-04] an Origin on the list is accepted', async () => {
    const { port } = gateway;
    const allowed = [
      `http://localhost:${port}`,
      `http://127.0.0.1:${port}`,
      `http://[::1]:${port}`,
      'https://chat.example',
      'http://lan.example:8080',
    ];
    for (const origin of allowed) expect([origin, await upgrade({ Origin: origin })]).toEqual([origin, 101]);
  });

  it('[X-05] a Host that is not on the list is 421, for upgrades and plain HTTP, even if the name resolves to this machine', async () => {
    const { port } = gateway;
    for (const host of foreignHosts(port)) {
      expect([host, await upgrade({ Host: host })]).toEqual([host, 421]);
      expect([host, (await httpRequest(port, '/whoami', { headers: { host } })).status]).toEqual([host, 421]);
    }
  });

  it('[X-05] a malformed Host is 400', async () => {
    for (const host of ['user@localhost', 'a b', 'localhost:port', 'localhost:123456', '[::1', 'localhost/', '']) {
      expect([host, await upgrade({ Host: host })]).toEqual([host, 400]);
    }
  });

  it('[X-05] a Host on the list is accepted, in any case and with any port', async () => {
    for (const host of [
      'localhost',
      'LocalHost:1',
      '127.0.0.1',
      '127.9.9.9',
      '[::1]:18789',
      'Gateway.Example:443',
      'only.example:8443',
    ]) {
      expect([host, await upgrade({ Host: host })]).toEqual([host, 101]);
    }
  });

  it('[X-06] the probes answer to any Host', async () => {
    expect((await httpRequest(gateway.port, '/health/live', { headers: { host: '10.1.2.3:18789' } })).status).toBe(200);
    expect((await httpRequest(gateway.port, '/health/live?x', { headers: { host: 'anything' } })).status).toBe(200);
    expect((await httpRequest(gateway.port, '/health/live/more', { headers: { host: 'anything' } })).status).toBe(421);
  });

  it('[X-04] a foreign page cannot change anything: every method but GET and HEAD is 403, with or without a body', async () => {
    const { port } = gateway;
    const foreign = { origin: 'https://evil.example' };
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']) {
      expect([method, (await httpRequest(port, '/echo', { method, headers: foreign })).status]).toEqual([method, 403]);
    }
    const simple = { ...foreign, 'content-type': 'text/plain' };
    expect((await httpRequest(port, '/echo', { method: 'POST', headers: simple, body: '{"a":1}' })).status).toBe(403);
    expect((await httpRequest(port, '/health/live', { headers: foreign })).status).toBe(200);
    const own = { origin: `http://localhost:${port}`, 'content-type': 'application/json' };
    expect((await httpRequest(port, '/echo', { method: 'POST', headers: own, body: '{"a":1}' })).json()).toEqual({
      body: { a: 1 },
    });
  });

  it('[X-05] bound beyond loopback, an IP literal is an accepted Host and a foreign name is not', async () => {
    const wide = await startTransport({ settings: { 'gateway.host': '0.0.0.0', 'auth.token': OPERATOR }, controllers });
    const statusOf = async (host: string) => (await httpRequest(wide.port, '/whoami', { headers: { host } })).status;
    expect(await statusOf('10.1.2.3:18789')).toBe(200);
    expect(await statusOf('[2001:db8::1]')).toBe(200);
    expect(await statusOf('evil.example')).toBe(421);
    await expectGoodService(wide.port, OPERATOR);
    await wide.close();
  });
});
