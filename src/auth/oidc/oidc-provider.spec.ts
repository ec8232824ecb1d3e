import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { ProviderDownError } from '../credential-verifier.js';
import { OidcProvider, ProviderRefusal } from './oidc-provider.js';

const KEYS = readFileSync(join(import.meta.dirname, '../../../test/inputs/identity/keys.jwks.json'), 'utf8');
const ISSUER = 'https://idp.test';
const DOCUMENT = JSON.stringify({
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/auth`,
  token_endpoint: `${ISSUER}/token`,
  jwks_uri: `${ISSUER}/keys`,
});

/** A provider whose token endpoint responds with a status and a body. */
function respondWith(status: number, body: string, type = 'application/json') {
  const respond = (path: string) => {
    const headers = { 'content-type': type };
    if (path === '/token') return new Response(body, { status, headers });
    return new Response(path === '/keys' ? KEYS : DOCUMENT, { headers: { 'content-type': 'application/json' } });
  };
  const setting = { issuer: ISSUER, client_id: 'gateway', claims: { roles: { users: { role: 'user' as const } } } };
  const fetch = async (address: string | URL | Request) => respond(new URL(address as string).pathname);
  return new OidcProvider(setting, [], async () => undefined, fetch, new ManualClock(), new SilentLogs().for());
}

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
