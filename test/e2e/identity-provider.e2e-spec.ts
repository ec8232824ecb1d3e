import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_FAILURES_PER_MINUTE } from '../../src/auth/auth-failures.js';
import { KeptLogs } from '../../src/testing/kept-logs.js';
import { eventually } from '../support/eventually.js';
import { FakeIssuer } from '../support/fake-issuer.js';
import { FrameClient } from '../support/frame-client.js';
import { GatewayApp } from '../support/gateway-app.js';
import { httpRequest } from '../support/http-request.js';
import { MovedClock } from '../support/moved-clock.js';

describe('a gateway with an identity provider', () => {
  let issuer: FakeIssuer;
  let gateway: GatewayApp;
  let clock: MovedClock;
  beforeEach(async () => {
    issuer = await FakeIssuer.start();
    clock = new MovedClock();
    gateway = await GatewayApp.start({ clock, logs: new KeptLogs(), settings: { 'auth.jwt': issuer.setting } });
    await eventually(() => expect(issuer.fetches).toBe(1));
  });
  afterEach(async () => {
    await gateway.close();
    await issuer.close();
  });

  const readConfig = async (token: string) =>
    (await httpRequest(gateway.port, '/admin/v1/config', { headers: { authorization: `Bearer ${token}` } })).status;
  const closeOf = async (headers: Record<string, string>, protocols?: string[]) =>
    (await (await FrameClient.open(gateway.port, '', { headers, ...(protocols && { protocols }) })).ended).code;

  it('[I-02] lets people in over WebSocket and HTTP with the rights of their groups', async () => {
    const user = await issuer.issue('ada', ['users']);
    const client = await FrameClient.open(gateway.port, '', { headers: { authorization: `Bearer ${user}` } });
    expect((await client.next('connected')).payload).toMatchObject({
      role: 'user',
      scopes: ['messages:write', 'presence:write', 'sessions:read'],
    });
    await client.close();
    expect(await readConfig(user)).toBe(403);
    expect(await readConfig(await issuer.issue('root', ['admins']))).toBe(200);
    expect(await closeOf({ authorization: `Bearer ${await issuer.issue('eve', ['others'])}` })).toBe(4001);
    expect(await readConfig(await issuer.issue('eve', []))).toBe(401);
    expect(issuer.fetches).toBe(1);
  });

  it('[I-02] gives no one a name of the gateway itself', async () => {
    for (const name of ['local', 'webchat', 'agent:main', 'cron:x', 'node:x', 'tailscale:a@b.org'])
      expect([name, await readConfig(await issuer.issue(name, ['admins']))]).toEqual([name, 401]);
    expect(await readConfig(await issuer.issue('operator', ['admins']))).toBe(200);
    expect(await closeOf({ authorization: `Bearer ${await issuer.issue('operator', ['users'])}` })).toBe(4001);
  });

  it('[I-02] is not open to others, and needs no other credential', async () => {
    expect(await closeOf({})).toBe(4001);
    const { status } = await httpRequest(gateway.port, '/admin/v1/config');
    expect(status).toBe(401);
  });

  it('[I-07] cannot decide while the provider is down for too long, which is no failure of the caller', async () => {
    const token = await issuer.issue('root', ['admins'], { exp: Math.floor(Date.now() / 1_000) + 7_200 });
    expect(await readConfig(token)).toBe(200);
    issuer.isUp = false;
    clock.aheadMs = 9 * 60_000;
    expect(await readConfig(token)).toBe(200);
    clock.aheadMs = 11 * 60_000;
    for (let i = 0; i <= MAX_FAILURES_PER_MINUTE; i++) expect(await readConfig(token)).toBe(503);
    expect(await closeOf({ authorization: `Bearer ${token}` })).toBe(1013);
    issuer.isUp = true;
    clock.aheadMs += 6_000;
    expect(await readConfig(token)).toBe(200);
    expect(await closeOf({})).toBe(4001);
  });

  it('[I-04] takes tokens by a new key without a restart', async () => {
    await issuer.rotate();
    clock.aheadMs = 6_000;
    expect(await readConfig(await issuer.issue('root', ['admins']))).toBe(200);
    expect(issuer.fetches).toBe(2);
  });

  it('[I-09] ends a connection when its token ends', async () => {
    const now = Math.floor(Date.now() / 1_000);
    const token = await issuer.issue('ada', ['users'], { exp: now + 2 });
    expect(await closeOf({ authorization: `Bearer ${token}` })).toBe(4001);
  });
});
