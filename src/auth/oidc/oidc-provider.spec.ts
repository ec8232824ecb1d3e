import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { ProviderDownError } from '../credential-verifier.js';
import { OidcProvider, ProviderRefusal } from './oidc-provider.js';
import type { OidcSetting } from './oidc.settings.js';

const KEYS = readFileSync(join(import.meta.dirname, '../../../test/inputs/identity/keys.jwks.json'), 'utf8');
const ISSUER = 'https://idp.test';
const DOCUMENT = JSON.stringify({
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/auth`,
  token_endpoint: `${ISSUER}/token`,
  jwks_uri: `${ISSUER}/keys`,
});

const JSON_HEADERS = { 'content-type': 'application/json' };
const SETTING = { issuer: ISSUER, client_id: 'gateway', claims: { roles: { users: { role: 'user' as const } } } };

/** @param keys its key set @param tokens what its token endpoint responds with */
function open(keys: string | (() => string), tokens: () => Response, changes: Partial<OidcSetting> = {}) {
  const clock = new ManualClock();
  const fetch = async (address: string | URL | Request) => {
    const { pathname } = new URL(address as string);
    if (pathname === '/token') return tokens();
    const shown = typeof keys === 'string' ? keys : keys();
    return new Response(pathname === '/keys' ? shown : DOCUMENT, { headers: JSON_HEADERS });
  };
  const setting = { ...SETTING, ...changes };
  return {
    clock,
    provider: new OidcProvider(setting, [], async () => undefined, fetch, clock, new SilentLogs().for()),
  };
}

/** A provider whose key set can change. */
function openServed(changes: Partial<OidcSetting> = {}) {
  const served = { keys: '' };
  return {
    served,
    ...open(
      () => served.keys,
      () => new Response(),
      changes,
    ),
  };
}

/** An ID token of ES256 and its key. @param now in seconds */
async function signAt(now: number) {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const token = await new SignJWT({ iss: ISSUER, aud: 'gateway', sub: 'ada', groups: ['users'] })
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .setIssuedAt(now)
    .setExpirationTime(now + 600)
    .sign(privateKey);
  return { token, key: { ...(await exportJWK(publicKey)), kid: 'k' } as JWK };
}

/** A provider whose token endpoint responds with a status and a body. */
const respondWith = (status: number, body: string, type = 'application/json') =>
  open(KEYS, () => new Response(body, { status, headers: { 'content-type': type } })).provider;

describe('an ID token', () => {
  it('[I-01] may be ahead by clock_tolerance_s, 60 s if that is not set', async () => {
    const read = async (aheadS: number, changes: Partial<OidcSetting> = {}) => {
      const { clock, provider, served } = openServed(changes);
      const { token, key } = await signAt(Math.floor(clock.now() / 1_000) + aheadS);
      served.keys = JSON.stringify({ keys: [key] });
      return provider.readIdToken(token).then(
        ({ subject }) => subject,
        (error: unknown) => (error as Error).message,
      );
    };
    expect(await read(60)).toBe('ada');
    expect(await read(61)).toContain('iat is 61 s ahead');
    expect(await read(61, { clock_tolerance_s: 300 })).toBe('ada');
    expect(await read(1, { clock_tolerance_s: 0 })).toContain('iat is 1 s ahead');
  });
});

describe('a key that cannot be used', () => {
  const outcome = (provider: OidcProvider, token: string) =>
    provider.readIdToken(token).then(
      ({ subject }) => subject,
      (error: unknown) => error,
    );

  it.each<[what: string, spoil: (key: JWK) => JWK]>([
    ['a number that is none', () => ({ kty: 'RSA', n: '!!', e: 'AQAB', kid: 'k' })],
    ['a point beside its curve', (key) => ({ ...key, x: key.y!, y: key.x! })],
  ])('[I-05] counts as a provider that is down, until a right one is there: %s', async (_, spoil) => {
    const { clock, provider, served } = openServed();
    const { token, key } = await signAt(Math.floor(clock.now() / 1_000));
    served.keys = JSON.stringify({ keys: [spoil(key)] });
    expect(await outcome(provider, token)).toBeInstanceOf(ProviderDownError);
    expect(provider.problem).toMatchObject({ what: 'keys', isStale: true });
    served.keys = JSON.stringify({ keys: [key] });
    await clock.advanceAsync(5_000);
    expect(await outcome(provider, token)).toBe('ada');
    expect(provider.problem).toBeUndefined();
    provider.keys.stop();
  });

  it('[I-05] is fetched again when it only fails at its use', async () => {
    const { clock, provider, served } = openServed();
    const { token, key } = await signAt(Math.floor(clock.now() / 1_000));
    served.keys = JSON.stringify({ keys: [{ ...key, key_ops: ['verify', 'x'] }] });
    expect(await outcome(provider, token)).toBeInstanceOf(ProviderDownError);
    served.keys = JSON.stringify({ keys: [key] });
    await clock.advanceAsync(5_000);
    expect(await outcome(provider, token)).toBe('ada');
    provider.keys.stop();
  });
});

describe('the token endpoint', () => {
  const renew = (provider: OidcProvider) => provider.refresh('x').catch((error: unknown) => error);

  it('[I-15] gives tokens, with or without an ID token', async () => {
    expect(await renew(respondWith(200, '{"id_token":"a","refresh_token":"b"}'))).toEqual({
      idToken: 'a',
      refreshToken: 'b',
    });
    expect(await renew(respondWith(200, '{"access_token":"c"}'))).toEqual({ refreshToken: undefined });
  });

  it.each([
    [400, 'invalid_grant', true],
    [400, 'interaction_required', true],
    [401, 'invalid_client', false],
    [400, 'invalid_request', false],
  ])('[I-18] refuses with %i %s: that it is about the person is %s', async (status, error, isOfPerson) => {
    const provider = respondWith(status, JSON.stringify({ error }));
    const refusal = await renew(provider);
    expect(refusal).toBeInstanceOf(ProviderRefusal);
    expect(refusal).toMatchObject({ isOfPerson });
    expect(provider.problem?.what).toBe(isOfPerson ? undefined : 'tokens');
  });

  it.each([
    [429, '{"error":"too_many_requests"}'],
    [408, '{"error":"invalid_grant"}'],
    [400, '{"error":"temporarily_unavailable"}'],
    [500, '{"error":"invalid_grant"}'],
    [503, '{}'],
    [404, '{}'],
  ])('[I-18] cannot be asked when it responds with %i %s, which the reason has', async (status, body) => {
    const provider = respondWith(status, body);
    const error = await renew(provider);
    expect(error).toBeInstanceOf(ProviderDownError);
    expect((error as Error).message).toContain(`HTTP ${status}`);
    expect(provider.problem).toMatchObject({ issuer: ISSUER, what: 'tokens', isStale: false });
  });

  it('[I-18] cannot be asked when it responds with a page', async () => {
    expect(await renew(respondWith(502, '<p>', 'text/html'))).toBeInstanceOf(ProviderDownError);
  });
});
