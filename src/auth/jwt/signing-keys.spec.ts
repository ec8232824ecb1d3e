import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { JSONWebKeySet } from 'jose';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { SystemClock } from '../../core/time/clock.js';
import { egressFetch } from '../../http/egress/egress-fetch.js';
import { KeptLogs } from '../../testing/kept-logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { UndecidedError } from '../credential-verifier.js';
import { discover } from './discovery.js';
import { toKeySet } from './load-keys.js';
import { isSafeAddress, MAX_DOCUMENT_BYTES, REQUEST_TIMEOUT_MS, requestDocument } from './request-json.js';
import { SigningKeys } from './signing-keys.js';
import { checkSignature } from './verify-signature.js';

const INPUTS = join(import.meta.dirname, '../../../test/inputs/identity');
const read = <T>(name: string) => JSON.parse(readFileSync(join(INPUTS, `${name}.json`), 'utf8')) as T;
const MINUTE_MS = 60_000;

function setUp() {
  const clock = new ManualClock();
  const provider = { isUp: true, set: read<JSONWebKeySet>('keys.jwks'), fetches: 0 };
  const load = async () => {
    provider.fetches++;
    if (!provider.isUp) throw new Error('connect ECONNREFUSED');
    return structuredClone(provider.set);
  };
  const keys = new SigningKeys('https://idp.test', load, clock, new SilentLogs().for());
  const check = (token: string) =>
    checkSignature(token, keys, ['RS256']).then(
      () => 'accepted',
      (error: unknown) => (error instanceof UndecidedError ? 'undecided' : (error as Error).message),
    );
  return { clock, keys, provider, check };
}

describe('the keys of an issuer', () => {
  const {
    token_old: oldToken,
    token_new: newToken,
    token_unknown_kid: unknown,
  } = read<Record<string, string>>('rotation') as {
    token_old: string;
    token_new: string;
    token_unknown_kid: string;
  };

  it('[I-03] last ten minutes from the last good fetch, and are fetched ahead', async () => {
    const { clock, keys, provider, check } = setUp();
    expect([await check(oldToken), provider.fetches]).toEqual(['accepted', 1]);
    await clock.advanceAsync(6 * MINUTE_MS);
    expect([await check(oldToken), provider.fetches]).toEqual(['accepted', 2]);
    await clock.advanceAsync(0.5 * MINUTE_MS);
    provider.isUp = false;
    const downSince = clock.now();
    await clock.advanceAsync(7.5 * MINUTE_MS);
    expect(await check(oldToken)).toBe('accepted');
    await clock.advanceAsync(3 * MINUTE_MS);
    expect(await check(oldToken)).toBe('undecided');
    expect(keys.problem?.reason).toBe('connect ECONNREFUSED');
    expect(keys.problem?.since).toBeGreaterThanOrEqual(downSince);
    await clock.advanceAsync(MINUTE_MS);
    provider.isUp = true;
    await clock.advanceAsync(0.2 * MINUTE_MS);
    expect(await check(oldToken)).toBe('accepted');
    expect(keys.problem).toBeUndefined();
    keys.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  it('[I-03] log why they cannot be fetched, and each other reason', async () => {
    const logs = new KeptLogs();
    const clock = new ManualClock();
    let reason = 'connect ECONNREFUSED';
    const keys = new SigningKeys('https://idp.test', () => Promise.reject(new Error(reason)), clock, logs.for());
    const retry = async () => {
      await keys.read().catch(() => {});
      await clock.advanceAsync(30_000);
    };
    await retry();
    await retry();
    reason = 'HTTP 500';
    await retry();
    expect(logs.fields).toMatchObject([{ reason: 'connect ECONNREFUSED' }, { reason: 'HTTP 500' }]);
    keys.stop();
  });

  it('[I-03] are not waited for long while the issuer is known to be down', async () => {
    const clock = new ManualClock();
    let load: () => Promise<JSONWebKeySet> = () => Promise.reject(new Error('connect ECONNREFUSED'));
    const keys = new SigningKeys('https://idp.test', () => load(), clock, new SilentLogs().for());
    const ask = () =>
      keys.read().then(
        () => 'known',
        (error: unknown) => (error as Error).message,
      );
    expect(await ask()).toContain('ECONNREFUSED');
    load = () => new Promise(() => {});
    await clock.advanceAsync(6_000);
    const answer = ask();
    await clock.advanceAsync(1_000);
    expect(await answer).toContain('ECONNREFUSED');
    keys.stop();
  });

  it('[I-04] are fetched when a key has another value under its name, at most once in 5 s', async () => {
    const { clock, provider, check } = setUp();
    const right = provider.set;
    const [foreign] = read<JSONWebKeySet>('keys-after-rotation.jwks').keys.filter(
      ({ kid }) => kid !== right.keys[0]!.kid,
    );
    provider.set = { keys: right.keys.map((key) => ({ ...foreign, kid: key.kid! })) };
    expect(await check(oldToken)).toContain('the signature');
    provider.set = right;
    expect([await check(oldToken), provider.fetches]).toEqual([expect.stringContaining('the signature'), 1]);
    await clock.advanceAsync(5_000);
    expect([await check(oldToken), provider.fetches]).toEqual(['accepted', 2]);
  });

  it('[I-04] are fetched for an unknown key, at most once in 5 s, and until then nothing is decided', async () => {
    const { clock, provider, check } = setUp();
    expect(await check(oldToken)).toBe('accepted');
    provider.set = read<JSONWebKeySet>('keys-after-rotation.jwks');
    await clock.advanceAsync(1_000);
    expect(await check(newToken)).toBe('undecided');
    await clock.advanceAsync(4_000);
    expect([await check(newToken), provider.fetches]).toEqual(['accepted', 2]);
    expect(await check(oldToken)).toBe('undecided');
    await clock.advanceAsync(5_000);
    expect(await check(oldToken)).toBe('kid: the issuer has no such key');
  });

  it('[I-04] are fetched once for 200 tokens with unknown keys', async () => {
    const { clock, provider, check } = setUp();
    await check(oldToken);
    await clock.advanceAsync(5_000);
    const varied = Array.from({ length: 200 }, (_, i) => {
      const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: `k${i}` })).toString('base64url');
      return `${header}.${unknown.split('.').slice(1).join('.')}`;
    });
    const outcomes = await Promise.all(varied.map(check));
    expect(outcomes).not.toContain('accepted');
    expect(provider.fetches).toBe(2);
    expect(await check(oldToken)).toBe('accepted');
  });
});

describe('a key set', () => {
  const [key] = read<JSONWebKeySet>('keys.jwks').keys;

  it('[I-05] has odd members beside its keys', () => {
    expect(toKeySet({ keys: [null, 'x', [], { kty: 'oct', k: 'x' }, key] }).keys).toContainEqual(key);
  });

  it.each([
    ['no keys', []],
    [
      'no key that is complete',
      [
        { kty: 'RSA', e: 'AQAB' },
        { kty: 'EC', crv: 'P-256', x: 'x' },
      ],
    ],
    ['shared keys', [{ kty: 'oct', k: 'c2VjcmV0' }]],
    ['keys of another use', [{ ...key, use: 'enc' }]],
    ['a number that is none', [{ kty: 'RSA', n: '!!', e: 'AQAB', kid: 'k1' }]],
    [
      'a key of RSA with 1,024 bits',
      [generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({ format: 'jwk' })],
    ],
    ['a point beside its curve', [{ kty: 'EC', crv: 'P-256', x: 'AQ', y: 'AQ' }]],
    ['keys of an unknown type', [{ kty: '__proto__' }, { kty: 7 }]],
  ])('[I-05] is refused with %s', (_, keys) => {
    expect(() => toKeySet({ keys })).toThrow('no key that checks signatures');
  });
});

describe('a document of an identity provider', () => {
  const open: ReturnType<typeof createServer>[] = [];
  afterEach(() => open.splice(0).forEach((server) => (server.closeAllConnections(), server.close())));
  const serve = async (listener: RequestListener) => {
    const server = createServer(listener).listen(0, '127.0.0.1');
    open.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const JSON_HEADERS = { 'content-type': 'application/json' };
  const ask = (address: string) => requestDocument(egressFetch, new SystemClock(), address);

  it.each<[string, RequestListener, string]>([
    [
      'another address',
      (_, response) => void response.writeHead(302, { location: 'https://elsewhere.example' }).end(),
      'redirects',
    ],
    [
      'a page',
      (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      'text/html instead of JSON',
    ],
    ['no JSON', (_, response) => void response.writeHead(200, JSON_HEADERS).end('{'), 'JSON'],
    ['a list', (_, response) => void response.writeHead(200, JSON_HEADERS).end('[]'), 'no JSON object'],
    ['a failure', (_, response) => void response.writeHead(500, JSON_HEADERS).end('{}'), 'HTTP 500'],
    ['a failure as a page', (_, response) => void response.writeHead(502).end('<p>'), 'HTTP 502 and no type instead'],
    [
      'too much',
      (_, response) => void response.writeHead(200, JSON_HEADERS).end(' '.repeat(MAX_DOCUMENT_BYTES + 2)),
      'more than',
    ],
  ])('[I-05] is refused where the server responds with %s', async (_, listener, says) => {
    await expect(ask(await serve(listener))).rejects.toThrow(says);
  });

  it('[I-05] without an end is given up after 5 s', async () => {
    const clock = new ManualClock();
    let begun = () => {};
    const whenBegun = new Promise<void>((resolve) => (begun = resolve));
    const address = await serve((_, response) => {
      response.writeHead(200, JSON_HEADERS).write('{');
      begun();
    });
    const outcome = requestDocument(egressFetch, clock, address).catch((error: unknown) => String(error));
    await whenBegun;
    await clock.advanceAsync(REQUEST_TIMEOUT_MS);
    expect(await outcome).toContain('has not responded within 5 s');
    expect(clock.pendingTimers).toBe(0);
  });

  it('[I-05] comes by https, or by http from this machine', async () => {
    expect(
      ['https://idp.example/x', 'http://127.0.0.1:9/x', 'http://localhost', 'http://[::1]:8/'].every(isSafeAddress),
    ).toBe(true);
    expect(['http://idp.example', 'file:///etc/passwd', 'https://a:b@idp.example', 'x'].some(isSafeAddress)).toBe(
      false,
    );
    await expect(ask('http://idp.example/keys')).rejects.toThrow('neither https');
  });

  it('[I-06] of discovery is at the issuer without a doubled slash, and has the same issuer byte by byte', async () => {
    const asked: (string | undefined)[] = [];
    let says = '';
    const origin = await serve(({ url }, response) => {
      asked.push(url);
      response.writeHead(200, JSON_HEADERS).end(JSON.stringify({ issuer: says }));
    });
    const find = (issuer: string) => discover(egressFetch, new SystemClock(), issuer);
    says = `${origin}/app/o/gw/`;
    expect(await find(says)).toEqual({ issuer: says });
    expect(asked).toEqual(['/app/o/gw/.well-known/openid-configuration']);
    await expect(find(`${origin}/app/o/gw`)).rejects.toThrow(
      `"${origin}/app/o/gw", and its own document has "${says}"`,
    );
  });
});
