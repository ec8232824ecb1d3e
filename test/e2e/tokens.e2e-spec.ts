import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LiveCredentialsService } from '../../src/core/identity/live-credentials.service.js';
import { AuditStore } from '../../src/core/store/index.js';
import { FakeIssuer } from '../support/fake-issuer.js';
import { FrameClient } from '../support/frame-client.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { httpRequest } from '../support/http-request.js';

const KEEPER = 'keeper-token-0123456789ab';
const OF_ALL = 'token-of-all-tenants-0123';

describe('tokens at run time', () => {
  let gateway: GatewayApp;
  let issuer: FakeIssuer;
  beforeAll(async () => {
    issuer = await FakeIssuer.start();
    const own = withTokens['auth.tokens'] as object[];
    const ofAll = { token: OF_ALL, principal: 'chief', role: 'operator', tenant: '*' };
    const keeper = { token: KEEPER, principal: 'keeper', role: 'operator', scopes: ['tokens:write', 'admin:read'] };
    gateway = await GatewayApp.start({
      settings: { 'auth.tokens': [...own, keeper, ofAll], 'auth.jwt': issuer.setting },
    });
  });
  afterAll(async () => {
    await gateway.close();
    await issuer.close();
  });

  const call = async (method: string, path: string, token: string, body?: object) => {
    const answer = await httpRequest(gateway.port, `/admin/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, text: answer.text, json: answer.text === '' ? {} : answer.json() };
  };
  const create = async (wish: object, author: string = TOKENS.operator) => {
    const { status, json } = await call('POST', '/tokens', author, wish);
    return { status, ...(json as { id: string; token: string; detail?: string; details?: object }) };
  };
  const wish = { principal: 'ci', role: 'operator', scopes: ['admin:read'] };

  it('[I-12] are shown once, work at once, and are listed without their secret', async () => {
    const made = await create({ ...wish, expires_at: Date.now() + 3_600_000 });
    expect(made.status).toBe(201);
    expect(made.token).toMatch(/^oct_[A-Za-z0-9_-]{43}$/);
    expect((await call('GET', '/sessions', made.token)).status).toBe(200);
    expect((await call('PATCH', '/config', made.token, { version: 0, changes: { 'agent.name': 'x' } })).status).toBe(
      403,
    );
    const { text, json } = await call('GET', '/tokens', TOKENS.operator);
    expect(json['items']).toContainEqual(
      expect.objectContaining({ id: made.id, principal: 'ci', created_by: 'operator' }),
    );
    expect(text).not.toContain(made.token);
    expect((await call('GET', '/tokens', TOKENS.stranger)).json['items']).toEqual([]);
  });

  it('[I-10] end their connections and are refused when they are revoked, which the audit trail has', async () => {
    const made = await create(wish);
    const client = await gateway.connect('ci', made.token);
    expect((await call('DELETE', `/tokens/${made.id}`, TOKENS.stranger)).status).toBe(404);
    expect((await call('DELETE', `/tokens/${made.id}`, TOKENS.reader)).status).toBe(403);
    expect((await call('DELETE', `/tokens/${made.id}`, KEEPER)).status).toBe(204);
    expect((await client.ended).code).toBe(4001);
    expect((await call('GET', '/config', made.token)).status).toBe(401);
    expect((await call('DELETE', `/tokens/${made.id}`, KEEPER)).status).toBe(404);
    const rows = await gateway.app.get(AuditStore, { strict: false }).listAudit({ order: 'newest', limit: 50 });
    const own = rows.filter(({ target }) => target === made.id).map(({ action, actor }) => [action, actor]);
    expect(own).toEqual([
      ['token.revoke', 'keeper'],
      ['token.create', 'operator'],
    ]);
    expect(JSON.stringify(rows)).not.toContain(made.token);
  });

  it('[I-12] have no more rights than their maker, and no reserved name', async () => {
    expect(await create(wish, KEEPER)).toMatchObject({ status: 201 });
    for (const excess of [{ scopes: ['config:write'] }, { scopes: undefined }, { role: 'user', scopes: undefined }])
      expect([excess, (await create({ ...wish, ...excess }, KEEPER)).status]).toEqual([excess, 403]);
    expect(await create(wish, TOKENS.reader)).toMatchObject({ status: 403 });
    expect((await create(wish, TOKENS.stranger)).status).toBe(201);
    for (const wrong of [
      { principal: 'local' },
      { principal: ' ' },
      { principal: 'node:x' },
      { scopes: ['nodes:serve'] },
      { sender: 'x' },
      { expires_at: 1 },
      { agents: ['x'] },
      { tenant: '*' },
    ])
      expect([wrong, (await create({ ...wish, ...wrong })).status]).toEqual([wrong, 400]);
    expect((await create({ ...wish, tenant: 'default' }, TOKENS.stranger)).status).toBe(404);
  });

  it('[I-12] are of the tenant of their maker; who speaks for all tenants names one', async () => {
    const made = await create({ ...wish, principal: 'acme-ci', tenant: 'acme' }, OF_ALL);
    expect(made.status).toBe(201);
    expect((await call('GET', '/me', made.token)).json).toMatchObject({ principal: 'acme-ci', tenant: 'acme' });
    const namesOf = async (path: string, token: string) =>
      ((await call('GET', path, token)).json['items'] as { principal: string }[]).map(({ principal }) => principal);
    expect(await namesOf('/tokens', TOKENS.operator)).not.toContain('acme-ci');
    expect(await namesOf('/tokens', TOKENS.stranger)).toContain('acme-ci');
    expect(await namesOf('/tokens?tenant=acme', OF_ALL)).toContain('acme-ci');
    for (const [method, path] of [
      ['GET', '/tokens?tenant=acme'],
      ['DELETE', `/tokens/${made.id}?tenant=acme`],
    ] as const)
      expect((await call(method, path, TOKENS.operator)).status).toBe(404);
    expect((await call('DELETE', `/tokens/${made.id}?tenant=acme`, OF_ALL)).status).toBe(204);
  });

  it('[I-13] say whom they speak for', async () => {
    const expires_at = Date.now() + 60_000;
    const made = await create({ ...wish, channels: ['test'], expires_at });
    expect((await call('GET', '/me', made.token)).json).toEqual({
      all_tenants: false,
      ...{ principal: 'ci', tenant: 'default', role: 'operator', scopes: ['admin:read'] },
      ...{ channels: ['test'], expires_at },
    });
    expect((await call('GET', '/me', TOKENS.alice)).status).toBe(403);
  });

  it('[I-11] of an identity provider take rights from what an older one has opened', async () => {
    const now = Math.floor(Date.now() / 1_000);
    const admin = await issuer.issue('root', ['admins'], { iat: now - 20 });
    const client = await gateway.connect('root', admin);
    const stays = await gateway.connect('ada', await issuer.issue('ada', ['users'], { iat: now - 20 }));
    await call('GET', '/config', await issuer.issue('root', ['admins'], { iat: now - 10 }));
    await call('GET', '/config', await issuer.issue('root', ['users'], { iat: now - 30 }));
    expect(client.socket.readyState).toBe(1);
    expect((await call('GET', '/config', await issuer.issue('root', ['users']))).status).toBe(403);
    expect((await client.ended).code).toBe(4001);
    expect(stays.socket.readyState).toBe(1);
  });

  it('[I-10] leave nothing behind of requests that have ended', async () => {
    const made = await create(wish);
    for (let i = 0; i < 5; i++) await call('GET', '/me', made.token);
    const live = gateway.app.get(LiveCredentialsService, { strict: false });
    await expect.poll(() => live.isUsed(`token:${made.id}`)).toBe(false);
    expect(
      await FrameClient.open(gateway.port, '', { headers: { authorization: 'Bearer oct_unknown' } }).then(
        (client) => client.ended,
      ),
    ).toMatchObject({ code: 4001 });
  });
});
