import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings } from '../../src/settings.js';
import { AdminApi } from '../support/admin-api.js';
import { FakeIssuer } from '../support/fake-issuer.js';
import { GatewayApp, TOKENS, withTokens } from '../support/gateway-app.js';
import { httpRequest } from '../support/http-request.js';
import { MovedClock } from '../support/moved-clock.js';

const DAY_MS = 86_400_000;

let first: FakeIssuer;
let second: FakeIssuer;
let gateway: GatewayApp | undefined;
let clock: MovedClock;

beforeEach(async () => {
  [first, second] = await Promise.all([FakeIssuer.start(), FakeIssuer.start()]);
  clock = new MovedClock();
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  await Promise.all([first.close(), second.close()]);
});

const withPrefix = (issuer: FakeIssuer, prefix: string, changes: object = {}) => {
  const { claims, ...setting } = issuer.setting as { claims: object };
  return { ...setting, claims: { ...claims, prefix }, ...changes };
};

async function start(changes: object = {}): Promise<GatewayApp> {
  gateway = await GatewayApp.start({
    clock,
    settings: {
      ...withTokens,
      'auth.jwt': first.setting,
      'auth.jwt_issuers': [withPrefix(second, 'partner:', { audience: 'partners' })],
      ...changes,
    },
  });
  return gateway;
}

/** Returns whom a token speaks for, or the status of the refusal. */
async function whoIs(token: string): Promise<unknown> {
  const { status, json } = await httpRequest(gateway!.port, '/admin/v1/me', {
    headers: { authorization: `Bearer ${token}` },
  });
  return status === 200 ? json()['principal'] : status;
}

describe('two identity providers', () => {
  it('[I-02] each let their own people in, by their own keys, audience and claims', async () => {
    await start();
    expect(await whoIs(await first.issue('ada', ['admins']))).toBe('ada');
    expect(await whoIs(await second.issue('ada', ['admins'], { aud: 'partners' }))).toBe('partner:ada');
    expect(await whoIs(await second.issue('ada', ['admins']))).toBe(401);
    // A key that an issuer does not have may be a new one.
    expect(await whoIs(await first.issue('ada', ['admins'], { iss: second.url, aud: 'partners' }))).toBe(503);
    expect([first.fetches, second.fetches]).toEqual([1, 1]);
  });

  it('[I-02] cannot name the people of one another', async () => {
    await start();
    expect(await whoIs(await first.issue('partner:ada', ['admins']))).toBe(401);
    expect(await whoIs(await first.issue('partner', ['admins']))).toBe('partner');
  });

  it('[I-07] fail alone, which the status says from when on', async () => {
    await start();
    const inTwoHours = Math.floor(Date.now() / 1_000) + 7_200;
    const theirs = await second.issue('ada', ['admins'], { aud: 'partners', exp: inTwoHours });
    expect(await whoIs(theirs)).toBe('partner:ada');
    second.isUp = false;
    clock.aheadMs = 11 * 60_000;
    expect(await whoIs(theirs)).toBe(503);
    expect(await whoIs(await first.issue('ada', ['admins'], { exp: inTwoHours }))).toBe('ada');
    const { warnings } = await readStatus();
    expect(warnings).toMatchObject([
      {
        code: 'KEYS_NOT_FETCHED',
        severity: 'error',
        since: expect.any(Number),
        sentence: expect.stringMatching(`The keys of ${second.url} cannot be fetched, its tokens cannot be checked: `),
      },
    ]);
    second.isUp = true;
    clock.aheadMs += 6_000;
    expect(await whoIs(theirs)).toBe('partner:ada');
    expect((await readStatus()).warnings).toEqual([]);
  });

  it.each([[[]], [[{ kty: 'oct', k: 'c2VjcmV0' }]]])(
    '[I-03] a set of keys with none that can be used, %j, drops no known key and counts as no failed sign-in',
    async (keys) => {
      await start();
      const inTwoHours = Math.floor(Date.now() / 1_000) + 7_200;
      const token = await first.issue('ada', ['admins'], { exp: inTwoHours });
      expect(await whoIs(token)).toBe('ada');
      first.keys = { keys };
      const fetches = first.fetches;
      clock.aheadMs = 9 * 60_000;
      const other = await first.issue('ada', ['admins'], { exp: inTwoHours }, { kid: 'unknown' });
      for (let i = 0; i < 25; i++) expect(await whoIs(other)).toBe(503);
      expect(first.fetches).toBe(fetches + 1);
      expect(await whoIs(token)).toBe('ada');
      const { warnings } = await readStatus();
      expect(warnings).toMatchObject([{ sentence: expect.stringContaining('no key that checks signatures') }]);
      clock.aheadMs = 11 * 60_000;
      expect(await whoIs(token)).toBe(503);
    },
  );

  it.each<[fault: string, changes: object]>([
    ['needs a claims.prefix that no other issuer has', { 'auth.jwt_issuers': 'second without a prefix' }],
    ['is there twice', { 'auth.jwt_issuers': 'first' }],
    ['must be the same as in auth.oidc', { 'auth.oidc': 'first with a prefix' }],
  ])('[I-02] %s', (fault, changes) => {
    const oidc = { issuer: first.url, client_id: 'x', claims: { prefix: 'x:', roles: { a: { role: 'user' } } } };
    const values: Readonly<Record<string, unknown>> = {
      'second without a prefix': [second.setting],
      first: [withPrefix(first, 'other:')],
      'first with a prefix': oidc,
    };
    const settings = Object.fromEntries(Object.entries(changes).map(([key, name]) => [key, values[name as string]]));
    const load = () =>
      loadSettings(
        {},
        { 'auth.jwt': first.setting, 'gateway.public_url': 'https://chat.example.com', ...settings },
        '/nonexistent',
      );
    expect(load).toThrow(fault);
  });
});

async function readStatus(): Promise<{ readonly warnings: readonly object[] }> {
  return (await new AdminApi(gateway!, TOKENS.owner).get('status')).body as unknown as { warnings: object[] };
}

describe('tokens that were made at run time', () => {
  it('cause a warning a week before they expire, unless they were made for a short time', async () => {
    gateway = await GatewayApp.start({ clock, settings: withTokens });
    const api = new AdminApi(gateway, TOKENS.owner);
    const create = async (principal: string, days: number) =>
      api.post('tokens', { principal, role: 'user', expires_at: clock.now() + days * DAY_MS });
    await create('backup', 30);
    await create('test', 1);
    expect((await readStatus()).warnings).toEqual([]);
    clock.aheadMs = 24 * DAY_MS;
    expect((await readStatus()).warnings).toMatchObject([
      { code: 'TOKEN_EXPIRES', severity: 'warning', sentence: expect.stringContaining('of backup expires on') },
    ]);
  });
});
