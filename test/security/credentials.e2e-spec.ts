import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT, type CryptoKey } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeIssuer } from '../support/fake-issuer.js';
import { FrameClient } from '../support/frame-client.js';
import { RawSocket, upgradeLines } from '../support/raw-socket.js';
import { TestNode } from '../support/test-node.js';
import { bearer, GUESS, TOKENS, useTarget } from './target.js';

let issuer: FakeIssuer;
const target = useTarget({
  settings: { gateway: { trusted_proxies: ['127.0.0.1'] } },
  prepare: async () => {
    issuer = await FakeIssuer.start();
    return { auth: { jwt: issuer.setting } };
  },
});
afterAll(() => issuer.close());

const UNAUTHORIZED = { code: 4001, reason: 'Unauthorized' };
/** Returns the status of `GET /admin/v1/me` with a credential, each time from another address. */
const statusWith = async (token: string) =>
  (await target.request('/admin/v1/me', { headers: target.asStranger({ authorization: `Bearer ${token}` }) })).status;
const endOf = async (headers: Record<string, string>, protocols: string[] = []) => {
  const client = await FrameClient.open(target.port, '', { headers: target.asStranger(headers), protocols });
  client.send('message_in', { channel: 'test', sender: 'alice', content: 'let me in' });
  const end = await client.ended;
  expect(client.unread).toEqual([]);
  return end;
};
const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

describe('a credential', () => {
  it.each<[string, Record<string, string>, string[]?]>([
    ['that is missing', {}],
    ['that is a guess', bearer(GUESS)],
    ['that lacks its last character', bearer(TOKENS.owner.slice(0, -1))],
    ['that has one more', bearer(`${TOKENS.owner}0`)],
    ['in another case', bearer(TOKENS.owner.toUpperCase())],
    ['that is the digest of a token', bearer('a'.repeat(64))],
    ['by Basic', { authorization: `Basic ${Buffer.from(`owner:${TOKENS.owner}`).toString('base64')}` }],
    ['without a scheme', { authorization: TOKENS.owner }],
    ['in two words', { authorization: `Bearer ${TOKENS.owner} ${TOKENS.owner}` }],
    ['in quotes', { authorization: `Bearer "${TOKENS.owner}"` }],
    ['in a cookie', { cookie: `token=${TOKENS.owner}; openclaw-session=${TOKENS.owner}` }],
    ['in a header of its own', { 'x-api-key': TOKENS.owner, 'x-auth-token': TOKENS.owner }],
    ['of a proxy', { 'proxy-authorization': `Bearer ${TOKENS.owner}` }],
    ['of Tailscale', { 'tailscale-user-login': 'owner@example.com' }],
    ['of 5,000 characters', bearer('x'.repeat(5_000))],
    ['beside a second one', bearer(TOKENS.owner), ['openclaw.v1', `openclaw.bearer.${TOKENS.alice}`]],
    ['twice as subprotocol', {}, ['openclaw.v1', `openclaw.bearer.${TOKENS.alice}`, `openclaw.bearer.${TOKENS.bob}`]],
    ['as an empty subprotocol', {}, ['openclaw.v1', 'openclaw.bearer.']],
  ])('[SE-11] %s: 4001 before any frame is handled, and 401', async (_, headers, protocols) => {
    expect(await endOf(headers, protocols)).toEqual(UNAUTHORIZED);
    if (protocols) return;
    const { status, text } = await target.request('/admin/v1/me', { headers: target.asStranger(headers) });
    expect(status).toBe(401);
    expect(text).not.toContain('canary');
  });

  it('[SE-11] in two Authorization headers: 4001', async () => {
    const raw = await RawSocket.connect(target.port);
    const second = [`Authorization: Bearer ${TOKENS.alice}`, `Authorization: Bearer ${TOKENS.owner}`];
    raw.sendLines([...upgradeLines(target.port, '/', target.asStranger()), ...second]);
    expect((await raw.readHead()).status).toBe(101);
    expect(await raw.readClose()).toEqual(UNAUTHORIZED);
    raw.destroy();
  });

  it.each([
    'token',
    'access_token',
    'auth',
    'TOKEN',
    'api_key',
    'key',
    'bearer',
    'authorization',
    'password',
    'jwt',
    'to%6ben',
    'secret',
  ])('[SE-04] in the query as %s is 400, and not repeated', async (name) => {
    const raw = await RawSocket.connect(target.port);
    raw.sendLines(upgradeLines(target.port, `/?client_id=a&${name}=${TOKENS.owner}`, bearer(TOKENS.owner)));
    const upgrade = await raw.readAnswer();
    expect(upgrade.status).toBe(400);
    expect(upgrade.body).not.toContain('canary');
    for (const path of ['/chat', '/admin/v1/me', '/health', '/metrics', '/media/f_1']) {
      const { status, text } = await target.request(`${path}?${name}=${TOKENS.owner}`, {
        headers: bearer(TOKENS.owner),
      });
      if (name === 'key' || name === 'secret') continue;
      expect([path, status]).toEqual([path, 400]);
      expect(text).not.toContain('canary');
    }
  });
});

describe('a token that was made at run time', () => {
  const make = async (changes: object = {}) => {
    const { body } = await target
      .admin(TOKENS.operator)
      .post('tokens', { principal: 'ci', role: 'operator', ...changes });
    return { id: String(body['id']), token: String(body['token']) };
  };

  it('[SE-11] ends with its time: the connection with 4001, requests with 401', async () => {
    const { token } = await make({ principal: 'short', expires_at: Date.now() + 4_000 });
    const client = await target.connect(token);
    expect((await client.ended).code).toBe(4001);
    expect(await statusWith(token)).toBe(401);
    expect(await endOf(bearer(token))).toEqual(UNAUTHORIZED);
  });

  it('[SE-11] ends when it is revoked: connections, streams, requests', async () => {
    const { id, token } = await make({ principal: 'revoked' });
    const client = await target.connect(token);
    const stream = await fetch(`${target.url}/admin/v1/events`, { headers: bearer(token) });
    expect(stream.status).toBe(200);
    const body = stream.body!.getReader();
    expect((await target.admin(TOKENS.operator).delete(`tokens/${id}`)).status).toBe(204);
    expect((await client.ended).code).toBe(4001);
    const drained = async (): Promise<boolean> => (await body.read().catch(() => ({ done: true }))).done || drained();
    expect(await drained()).toBe(true);
    expect(await statusWith(token)).toBe(401);
  });

  it('[SE-11] has no more rights than its maker, and no reserved name', async () => {
    const viewer = target.admin(TOKENS.viewer);
    expect((await viewer.post('tokens', { principal: 'x', role: 'operator' })).status).toBe(403);
    const { token } = await make({ principal: 'maker', scopes: ['tokens:write', 'admin:read'] });
    const maker = target.admin(token);
    const refused = [
      { principal: 'x', role: 'operator' },
      { principal: 'x', role: 'operator', scopes: ['config:dangerous'] },
      { principal: 'x', role: 'operator', scopes: ['admin:read', 'admin:write'] },
      { principal: 'x', role: 'channel' },
      { principal: 'x', role: 'operator', scopes: ['admin:read'], tenant: 'acme' },
      { principal: 'x', role: 'operator', scopes: ['admin:read'], tenant: '*' },
    ];
    for (const wish of refused)
      expect([wish, [400, 403, 404, 422].includes((await maker.post('tokens', wish)).status)]).toEqual([wish, true]);
    for (const principal of ['local', 'webchat', 'agent:main', 'cron:x', 'node:x', 'a\nb', '', 'a\u0000'])
      expect([
        principal,
        (await target.admin(TOKENS.operator).post('tokens', { principal, role: 'operator' })).status,
      ]).toEqual([principal, 400]);
    expect(
      (await target.admin(TOKENS.stranger).post('tokens', { principal: 'x', role: 'operator', tenant: 'default' }))
        .status,
    ).toBeGreaterThanOrEqual(400);
  });
});

describe('a JWT', () => {
  let evil: Server;
  let visits = 0;
  let foreignKey: CryptoKey;
  let foreignJwk: object;
  beforeAll(async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    foreignKey = pair.privateKey;
    foreignJwk = { ...(await exportJWK(pair.publicKey)), kid: 'evil', alg: 'ES256' };
    evil = createServer((_request, response) => {
      visits++;
      response.end(JSON.stringify({ keys: [foreignJwk] }));
    }).listen(0, '127.0.0.1');
    await once(evil, 'listening');
  });
  afterAll(() => {
    evil.close();
    expect(visits).toBe(0);
  });

  const now = () => Math.floor(Date.now() / 1_000);
  const claims = () => ({
    iss: issuer.url,
    aud: 'gateway',
    sub: 'eve',
    groups: ['admins'],
    iat: now(),
    exp: now() + 600,
  });
  const unsigned = (header: object, payload: unknown = claims()) => `${encode(header)}.${encode(payload)}`;
  const forge = async (header: Record<string, unknown>, payload: object = claims()) =>
    new SignJWT({ ...payload }).setProtectedHeader({ alg: 'ES256', ...header }).sign(foreignKey);
  const hmac = (text: string, secret: string, hash = 'sha256') =>
    `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;

  it('[SE-11] of the issuer is accepted, as the others are not', async () => {
    expect(await statusWith(await issuer.issue('root', ['admins']))).toBe(200);
  });

  it('[SE-11] with the algorithm none, in any case: 401', async () => {
    const { kid } = issuer.jwk;
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, undefined, 0, ['none'], ['ES256']])
      for (const signature of ['', 'AA'])
        expect([alg, await statusWith(`${unsigned({ alg, kid, typ: 'JWT' })}.${signature}`)]).toEqual([alg, 401]);
  });

  it('[SE-11] that is signed with the public key as a secret: 401', async () => {
    const { kid } = issuer.jwk;
    const pem = await exportSPKI((await importJWK(issuer.jwk, 'ES256')) as CryptoKey);
    const secrets = [pem, pem.trim(), JSON.stringify(issuer.jwk), issuer.jwk.x ?? '', '', kid ?? ''];
    for (const secret of secrets) {
      expect(await statusWith(hmac(unsigned({ alg: 'HS256', kid }), secret))).toBe(401);
      expect(await statusWith(hmac(unsigned({ alg: 'HS512', kid }), secret, 'sha512'))).toBe(401);
    }
  });

  it('[SE-11] with an empty, zero, short or foreign signature: 401', async () => {
    const { kid } = issuer.jwk;
    const head = unsigned({ alg: 'ES256', kid });
    const good = await issuer.issue('another', ['admins']);
    const signatures = [
      '',
      encode(''),
      Buffer.alloc(64).toString('base64url'),
      Buffer.alloc(64, 255).toString('base64url'),
      good.split('.')[2]!,
      'AAAA',
    ];
    for (const signature of signatures)
      expect([signature, await statusWith(`${head}.${signature}`)]).toEqual([signature, 401]);
    const [header, , signature] = good.split('.');
    const changed = encode({ ...claims(), sub: 'root' });
    expect(await statusWith(`${header}.${changed}.${signature}`)).toBe(401);
    expect(await statusWith(await forge({ kid }))).toBe(401);
  });

  it('[SE-11] that brings its key, or says where it is, is not believed, and nothing is fetched', async () => {
    const at = `http://127.0.0.1:${(evil.address() as AddressInfo).port}/keys`;
    const tricks = [
      { jwk: foreignJwk },
      { jku: at, kid: 'evil' },
      { x5u: at },
      { x5c: ['MIIB'] },
      { kid: at },
      { jku: 'file:///etc/passwd' },
    ];
    // A kid that is not known is decided after the next fetch of the keys: a moment later it is wrong.
    for (const trick of tricks) expect([401, 503]).toContain(await statusWith(await forge(trick)));
  });

  it('[SE-11] with tricks in its kid: never accepted, never a failure of the gateway', async () => {
    const kids = [
      '../../../../dev/null',
      '/dev/null',
      "' UNION SELECT 'a'--",
      'a\u0000b',
      '__proto__',
      'constructor',
      'x'.repeat(3_000),
      '',
      0,
      null,
      ['a'],
      { a: 1 },
      true,
    ];
    for (const kid of kids) {
      const status = await statusWith(
        `${unsigned({ alg: 'ES256', kid })}.${Buffer.alloc(64, 1).toString('base64url')}`,
      );
      expect([kid, [401, 503].includes(status)]).toEqual([kid, true]);
    }
  });

  it('[SE-11] of another form: 401', async () => {
    const good = await issuer.issue('eve', ['admins']);
    const [header = '', payload = '', signature = ''] = good.split('.');
    const forms = [
      `${header}.${payload}`,
      `${header}.${payload}.${signature}.${signature}`,
      `${header}.${payload}.${signature}.a.b`,
      `.${payload}.${signature}`,
      `${header}..${signature}`,
      `${header}.${payload}.${signature}~`,
      `${encode('null')}.${payload}.${signature}`,
      `${encode('[]')}.${payload}.${signature}`,
      `${encode('{"alg"')}.${payload}.${signature}`,
      `${header}.${encode('null')}.${signature}`,
      `${header}.${encode('"x"')}.${signature}`,
      `${header}.${Buffer.from([0xff, 0xfe]).toString('base64url')}.${signature}`,
      `${encode({ alg: 'ES256', kid: issuer.jwk.kid, b64: false, crit: ['b64'] })}.${payload}.${signature}`,
    ];
    for (const form of forms) expect([form.slice(0, 40), await statusWith(form)]).toEqual([form.slice(0, 40), 401]);
    expect([401, 431]).toContain(await statusWith(`${header}.${'A'.repeat(9_000)}.${signature}`));
  });

  it.each<[string, Record<string, unknown>]>([
    ['crit', { crit: ['exp'], exp: 1 }],
    ['the type of a logout', { typ: 'logout+jwt' }],
    ['the type of a proof', { typ: 'dpop+jwt' }],
    ['a type that is a list', { typ: ['JWT'] }],
  ])('[SE-11] of the issuer with %s in its header: 401', async (_, header) => {
    const token = await issuer.issue('eve', ['admins'], {}, header).catch(() => undefined);
    if (token !== undefined) expect(await statusWith(token)).toBe(401);
  });

  it('[SE-11] of the issuer with claims that do not fit: 401', async () => {
    const wrong: Record<string, unknown>[] = [
      { iss: `${issuer.url}/` },
      { iss: issuer.url.toUpperCase() },
      { iss: [issuer.url] },
      { iss: 'http://evil.example' },
      { aud: 'other' },
      { aud: [] },
      { aud: ['other', 'gateway2'] },
      { aud: { gateway: true } },
      { aud: 'gateway ' },
      { nbf: now() + 600 },
      { nbf: 'soon' },
      { iat: now() + 600 },
      { exp: now() + 90 * 86_400 },
      { sub: '' },
      { sub: 1 },
      { sub: null },
      { sub: 'a\u0000b' },
      { sub: 'a\nb' },
      { sub: 'x'.repeat(257) },
      { sub: '\ud800' },
      { sub: 'local' },
      { sub: 'webchat' },
      { sub: 'agent:main' },
      { sub: 'node:x' },
      { sub: 'cron:x' },
      { groups: [] },
      { groups: {} },
      { groups: 'ADMINS' },
      { groups: ['Admins'] },
      { groups: ['__proto__', 'constructor', 'toString'] },
      { groups: [['admins']] },
      { groups: 'admins,users' },
      { _claim_names: { groups: 'src1' } },
    ];
    for (const change of wrong) {
      const token = await issuer.issue('eve', ['admins'], change);
      expect([change, await statusWith(token)]).toEqual([change, 401]);
    }
    const expired = await issuer.issue('eve', ['admins'], { iat: now() - 900, exp: now() - 1 });
    expect(await statusWith(expired)).toBe(401);
    expect(await endOf(bearer(expired))).toEqual(UNAUTHORIZED);
  });

  it('[SE-10] says nothing about tenants and rights that no setting reads', async () => {
    const more = { tenant: '*', role: 'operator', scopes: ['config:dangerous'], scope: 'admin', roles: ['operator'] };
    const token = await issuer.issue('ulf', ['users'], more);
    expect(await statusWith(token)).toBe(403);
    const { body } = await target.admin(await issuer.issue('root', ['admins'], { tenant: '*' })).get('me');
    expect(body['tenant']).toBe('default');
  });

  it('[SE-11] that expires ends its connection', async () => {
    const client = await target.connect(await issuer.issue('ada', ['users'], { exp: now() + 4 }));
    expect((await client.ended).code).toBe(4001);
  });
});

describe('a credential of a device', () => {
  const pairUp = async (name: string) => {
    const { body } = await target.admin(TOKENS.operator).post('nodes/pairings', { name });
    const node = new TestNode(target.port);
    expect((await node.pair(String(body['code']))).status).toBe(200);
    return { node, code: String(body['code']) };
  };
  const closeOf = async (credential: string) => endOf(bearer(credential));

  it('[SE-11] is used once, is signed by its key, is of now, and ends with the device', async () => {
    const { node, code } = await pairUp('Lamp');
    const credential = node.makeCredential();
    const line = await node.connect(undefined, credential);
    expect((await closeOf(credential)).code).toBe(4001);
    const [prefix, id, time, nonce, signature] = node.makeCredential().split('.');
    for (const forged of [
      `${prefix}.${id}.${time}.${nonce}.${'A'.repeat(86)}`,
      `${prefix}.${id}.${Number(time) + 1}.${nonce}.${signature}`,
      `${prefix}.other.${time}.${nonce}.${signature}`,
      `${prefix}.${id}.${time}.${nonce}`,
      `${prefix}.${id}.1e3.${nonce}.${signature}`,
      `${prefix}.__proto__.${time}.${nonce}.${signature}`,
      node.makeCredential(Date.now() - 86_400_000),
      node.makeCredential(Date.now() + 86_400_000),
      new TestNode(target.port).makeCredential(),
    ])
      expect([forged.slice(0, 60), (await closeOf(forged)).code]).toEqual([forged.slice(0, 60), 4001]);
    expect((await new TestNode(target.port).pair(code)).status).toBeGreaterThanOrEqual(400);
    expect((await target.admin(TOKENS.operator).delete(`nodes/${node.nodeId}`)).status).toBe(204);
    expect((await line.ended).code).toBe(4001);
    expect((await closeOf(node.makeCredential())).code).toBe(4001);
  });

  it('[SE-18] serves tools only', async () => {
    const { node } = await pairUp('Fan');
    const line = await node.connect();
    const frames: [string, object][] = [
      ['message_in', { channel: 'test', sender: 'alice', content: 'hello' }],
      ['history', { limit: 1 }],
      ['resume', {}],
      ['cancel', { message_ref: 'm_1' }],
      ['approval', { approval_id: 'a_1', decision: 'allow', arguments_sha256: 'a'.repeat(64) }],
      ['presence', { channel: 'test', user_id: 'u', status: 'idle' }],
    ];
    for (const [type, payload] of frames)
      expect((await line.answerTo(line.send(type, payload))).payload).toMatchObject({ code: 'FORBIDDEN' });
    const result = { call_id: 'c_of_another', ok: true, content: 'forged' };
    expect((await line.answerTo(line.send('tool_result', result))).payload).not.toHaveProperty('error');
    const other = { node_id: 'kitchen', commands: [] };
    expect((await line.answerTo(line.send('node_register', other))).type).toBe('error');
    await line.close();
  });
});
