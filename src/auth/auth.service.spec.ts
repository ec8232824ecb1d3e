import type { AuditNote, AuditStore } from '../core/store/index.js';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { InProcessBroker } from '../core/broker/in-process-broker.js';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { loadSettings } from '../settings.js';
import { LiveCredentialsService } from '../core/identity/live-credentials.service.js';
import { ASSUMED_OPERATOR, LOCAL_OPERATOR } from '../core/identity/principal.js';
import { SilentLogs } from '../core/telemetry/logs.js';
import { FakeMetrics, ManualClock } from '../testing/index.js';
import { ReachService } from '../core/reach/reach.service.js';
import { TailscalePeers } from '../http/tailscale-peers.js';
import { RequestRulesService } from '../http/request-rules.service.js';
import { AuthRecorder } from './auth-recorder.js';
import { AuthFailures, MAX_FAILURES_PER_MINUTE } from './auth-failures.js';
import { AuthService } from './auth.service.js';
import type { CredentialVerifier, VerifierExplorer } from './credential-verifier.js';
import { JwtVerifier } from './jwt/jwt-verifier.js';
import { SignatureChecks } from './signature-checks.js';
import { LocalToken } from './local-token.js';
import type { NodeVerifier } from './node-verifier.js';
import type { SignInsService } from './oidc/sign-ins.service.js';
import { PageSignIn } from './page-sign-in.js';
import type { RunTimeTokens } from './run-time-tokens.js';
import { TailscaleVerifier } from './tailscale-verifier.js';
import type { Whois } from './whois.js';
import { VERIFY_TIMEOUT_MS, VerifierChain } from './verifier-chain.js';

function setUp(settings: Record<string, unknown> = {}, verifiers: readonly CredentialVerifier[] = []) {
  // Not validated: open mode must not depend on rules that the settings enforce at start.
  const loaded = loadSettings({}, {}, '/nonexistent');
  const config = new ConfigStoreService({ ...loaded, values: { ...loaded.values, ...settings } }, new SilentLogs());
  const clock = new ManualClock();
  const logs = new SilentLogs();
  const broker = new InProcessBroker(clock, logs);
  const metrics = new FakeMetrics();
  const audited: AuditNote[] = [];
  const whois: Whois = { find: () => Promise.reject(new Error('there is no Tailscale')) };
  const localToken = new LocalToken(() => ({ path: '/nonexistent/local.token', isOwn: true }));
  const auth = new AuthService(
    config,
    new RequestRulesService(config, new ReachService(config), new TailscalePeers(config)),
    new VerifierChain(
      { list: () => verifiers } as VerifierExplorer,
      new JwtVerifier(config, clock, new LiveCredentialsService(clock, broker), new SignatureChecks(clock), logs),
      { isConfigured: false } as SignInsService,
      config,
      clock,
      logs,
    ),
    new PageSignIn(clock, broker, () => []),
    new AuthRecorder(
      { recordAudit: async (note: AuditNote) => void audited.push(note) } as AuditStore,
      new AuthFailures(clock, broker, metrics, logs),
      clock,
      logs,
    ),
    localToken,
    { verify: () => 'notMine' } as unknown as NodeVerifier,
    new TailscaleVerifier(config, whois, clock),
    { verify: () => 'notMine' } as unknown as RunTimeTokens,
  );
  return { audited, auth, broker, clock, localToken, metrics };
}

const aRequest = (peer: string, headers: Record<string, string[]> = {}) =>
  ({
    socket: { remoteAddress: peer, localPort: 18789 },
    headersDistinct: { host: ['127.0.0.1:18789'], ...headers },
  }) as unknown as IncomingMessage;

describe('open mode', () => {
  it('is open to a direct request from this machine', async () => {
    const { auth } = setUp();
    for (const peer of ['127.0.0.1', '::ffff:127.0.0.1', '::1'])
      expect(await auth.authenticate(aRequest(peer))).toBe(ASSUMED_OPERATOR);
  });

  const withToken = (token: string, headers = {}) =>
    aRequest('127.0.0.1', { authorization: [`Bearer ${token}`], ...headers });

  it('[X-45] is administered with the local token alone, and only directly', async () => {
    const { auth, localToken } = setUp();
    expect(await auth.authenticate(withToken(localToken.value))).toBe(LOCAL_OPERATOR);
    expect(await auth.authenticate(withToken(setUp().localToken.value))).toBe(ASSUMED_OPERATOR);
    expect(await auth.authenticate(withToken(localToken.value, { 'x-real-ip': ['127.0.0.1'] }))).toBe('unauthorized');
    const closed = setUp({ 'auth.token': 'sixteen-characters' });
    expect(await closed.auth.authenticate(withToken(closed.localToken.value))).toBe('unauthorized');
  });

  it.each(['Bearer node1.door.abc==', 'Bearer x y', 'Bearer ', 'Basic YTpi'])(
    'refuses what cannot be a token, such as that of a device with padding: %s',
    async (header) => {
      const { auth } = setUp();
      expect(await auth.authenticate(aRequest('127.0.0.1', { authorization: [header] }))).toBe('unauthorized');
    },
  );

  it('[X-45] exchanges the code of a link for the local token', async () => {
    const { audited, auth, localToken } = setUp();
    const code = await auth.issuePageCode();
    expect(await auth.redeemPageCode(aRequest('127.0.0.1'), code)).toEqual({ token: localToken.value });
    expect(await auth.redeemPageCode(aRequest('127.0.0.1'), code)).toBe('unauthorized');
    expect(audited).toMatchObject([{ action: 'auth.sign_in', actor: 'local' }, { action: 'auth.failure' }]);
    expect(JSON.stringify(audited)).not.toContain(localToken.value);
  });

  it.each<[string, Record<string, unknown>, IncomingMessage]>([
    ['a peer on another machine', {}, aRequest('10.0.0.7')],
    ['a peer that is gone', {}, aRequest('')],
    ['a foreign Host', {}, aRequest('127.0.0.1', { host: ['gateway.example'] })],
    [
      'a Host that only the allow list names',
      { 'gateway.allowed_hosts': ['gateway.example'] },
      aRequest('127.0.0.1', { host: ['gateway.example'] }),
    ],
    ['no Host', {}, aRequest('127.0.0.1', { host: [] })],
    ['two Hosts', {}, aRequest('127.0.0.1', { host: ['localhost', 'localhost'] })],
    ['a foreign Origin', {}, aRequest('127.0.0.1', { origin: ['http://evil.example'] })],
    ['a forwarding header', {}, aRequest('127.0.0.1', { 'x-forwarded-for': ['127.0.0.1'] })],
    [
      'a trusted proxy that forwards for this machine',
      { 'gateway.trusted_proxies': ['127.0.0.1'] },
      aRequest('127.0.0.1', { 'x-forwarded-for': ['127.0.0.1'] }),
    ],
    ['a gateway that is bound to more than loopback', { 'gateway.host': '0.0.0.0' }, aRequest('127.0.0.1')],
    ['a gateway with a credential', { 'auth.token': 'sixteen-characters' }, aRequest('127.0.0.1')],
  ])('[X-07] is not open to %s', async (_, settings, request) =>
    expect(await setUp(settings).auth.authenticate(request)).toBe('unauthorized'),
  );
});

describe('failed authentications', () => {
  const settings = { 'auth.token': 'sixteen-characters', 'gateway.trusted_proxies': ['10.0.0.0/8'] };
  const wrong = (peer: string, headers = {}) => aRequest(peer, { authorization: ['Bearer wrong'], ...headers });
  const exhaust = async (auth: AuthService, ...request: Parameters<typeof wrong>) => {
    for (let i = 0; i < MAX_FAILURES_PER_MINUTE; i++)
      expect(await auth.authenticate(wrong(...request))).toBe('unauthorized');
  };

  it('count by address: other addresses are not throttled', async () => {
    const { auth } = setUp(settings);
    await exhaust(auth, '203.0.113.1');
    expect(await auth.authenticate(wrong('203.0.113.1'))).toBe('throttled');
    expect(await auth.authenticate(wrong('203.0.113.2'))).toBe('unauthorized');
  });

  it("[X-09] count by the client's address if a trusted proxy names it, and by no address that a client invents", async () => {
    const { auth } = setUp(settings);
    await exhaust(auth, '10.0.0.1', { 'x-forwarded-for': ['203.0.113.1'] });
    expect(await auth.authenticate(wrong('10.0.0.1', { 'x-forwarded-for': ['203.0.113.2'] }))).toBe('unauthorized');
    expect(await auth.authenticate(wrong('10.0.0.1', { 'x-forwarded-for': ['198.51.100.9, 203.0.113.1'] }))).toBe(
      'throttled',
    );
    expect(await auth.authenticate(wrong('203.0.113.1', { 'x-forwarded-for': ['198.51.100.9'] }))).toBe('throttled');
  });

  it('count for a whole IPv6 network', async () => {
    const { auth } = setUp(settings);
    for (let i = 0; i < MAX_FAILURES_PER_MINUTE; i++) await auth.authenticate(wrong(`2001:db8::${i}`));
    expect(await auth.authenticate(wrong('2001:db8::ffff'))).toBe('throttled');
    expect(await auth.authenticate(wrong('2001:db8:0:1::1'))).toBe('unauthorized');
  });

  it('[X-08] do not block a valid credential, and expire', async () => {
    const { auth, clock } = setUp(settings);
    await exhaust(auth, '127.0.0.1');
    expect(
      await auth.authenticate(aRequest('127.0.0.1', { authorization: ['Bearer sixteen-characters'] })),
    ).toMatchObject({
      principal: 'operator',
    });
    expect(await auth.authenticate(wrong('127.0.0.1'))).toBe('throttled');
    clock.advance(60_000);
    await exhaust(auth, '127.0.0.1');
  });

  it('do not include requests without a credential to public routes, but do include guesses', async () => {
    const { auth } = setUp(settings);
    for (let i = 0; i < 100; i++) expect(await auth.find(aRequest('127.0.0.1'))).toBeUndefined();
    expect(await auth.authenticate(aRequest('127.0.0.1'))).toBe('unauthorized');
    for (let i = 0; i < 100; i++) expect(await auth.find(wrong('127.0.0.1'))).toBeUndefined();
    expect(await auth.authenticate(aRequest('127.0.0.1'))).toBe('throttled');
  });
});

describe('failed authentications of a gateway', () => {
  const settings = { 'auth.token': 'sixteen-characters' };

  it('are counted by outcome', async () => {
    const { auth, metrics } = setUp(settings, [
      { verify: ({ facts }) => (facts.peerAddress === '10.0.0.9' ? Promise.reject(new Error('no keys')) : 'notMine') },
    ]);
    for (let i = 0; i < MAX_FAILURES_PER_MINUTE + 2; i++) await auth.authenticate(aRequest('10.0.0.1'));
    await auth.authenticate(aRequest('10.0.0.9'));
    const read = (outcome: string) => metrics.read('openclaw_auth_failures_total', { outcome });
    expect(['unauthorized', 'throttled', 'unavailable'].map(read)).toEqual([MAX_FAILURES_PER_MINUTE, 2, 1]);
  });

  it('are divided among its replicas', async () => {
    const { auth, broker, clock } = setUp(settings);
    const other = new InProcessBroker(clock, new SilentLogs(), broker);
    expect(other.replicas).toBe(2);
    for (let i = 0; i < MAX_FAILURES_PER_MINUTE / 2; i++)
      expect(await auth.authenticate(aRequest('10.0.0.1'))).toBe('unauthorized');
    expect(await auth.authenticate(aRequest('10.0.0.1'))).toBe('throttled');
  });
});

describe('the audit trail', () => {
  it('[X-32] has failures and first successes, each with its address, and no token', async () => {
    const { auth, audited } = setUp({ 'auth.token': 'sixteen-characters' });
    const withToken = (token: string) => aRequest('10.0.0.1', { authorization: [`Bearer ${token}`] });
    for (let i = 0; i < 3; i++) await auth.authenticate(withToken('sixteen-characters'));
    await auth.authenticate(withToken('a-wrong-token-of-a-caller'));
    expect(audited).toMatchObject([
      { action: 'auth.success', actor: 'operator', target: '10.0.0.1' },
      { action: 'auth.failure', actor: 'anonymous', target: '10.0.0.1' },
    ]);
    expect(JSON.stringify(audited)).not.toMatch(/sixteen-characters|wrong-token/);
    for (let i = 0; i < 500; i++) await auth.authenticate(aRequest(`10.1.${i % 250}.${i % 7}`));
    expect(audited.length).toBeLessThanOrEqual(62);
  });

  it('[X-32] has each sign-in of a page as an action of its own, and no code', async () => {
    const { auth, audited } = setUp({ 'auth.token': 'sixteen-characters' });
    const code = await auth.issuePageCode();
    await auth.redeemPageCode(aRequest('10.0.0.1'), code);
    await auth.redeemPageCode(aRequest('10.0.0.2'), code);
    expect(audited).toMatchObject([
      { action: 'auth.sign_in', actor: 'webchat', target: '10.0.0.1' },
      { action: 'auth.failure', actor: 'anonymous', target: '10.0.0.2' },
    ]);
    expect(JSON.stringify(audited)).not.toContain(code);
  });
});

describe('a verifier of a module', () => {
  const PRINCIPAL = { ...LOCAL_OPERATOR, principal: 'acme:ann' };
  const withToken = (token: string) => aRequest('127.0.0.1', { authorization: [`Bearer ${token}`] });
  const settings = { 'auth.token': 'sixteen-characters' };

  it('cannot speak as one of the names that the gateway gives itself', async () => {
    const { auth } = setUp(settings, [{ verify: () => ({ ...PRINCIPAL, principal: 'webchat' }) }]);
    expect(await auth.authenticate(withToken('a-token-of-acme'))).toBe('unauthorized');
  });

  it('is called after the verifiers of the gateway, for credentials that none of them recognised', async () => {
    const asked: string[] = [];
    const verifiers: CredentialVerifier[] = [
      { verify: () => (asked.push('first'), 'notMine') },
      { verify: async () => (asked.push('second'), Promise.resolve(PRINCIPAL)) },
      { verify: () => (asked.push('third'), 'notMine') },
    ];
    const { auth } = setUp(settings, verifiers);
    expect(await auth.authenticate(withToken('sixteen-characters'))).toMatchObject({ principal: 'operator' });
    expect(asked).toEqual([]);
    expect(await auth.authenticate(withToken('a-token-of-acme'))).toBe(PRINCIPAL);
    expect(asked).toEqual(['first', 'second']);
  });

  it('ends the search by a refusal, which counts as a failure', async () => {
    const { auth } = setUp(settings, [{ verify: () => ({ refused: 'expired' }) }, { verify: () => PRINCIPAL }]);
    for (let i = 0; i < MAX_FAILURES_PER_MINUTE; i++)
      expect(await auth.authenticate(withToken('expired'))).toBe('unauthorized');
    expect(await auth.authenticate(withToken('expired'))).toBe('throttled');
  });

  it('that throws, rejects or does not respond causes no failure of the address', async () => {
    let verify: CredentialVerifier['verify'] = () => {
      throw new Error('no keys');
    };
    const { auth, clock } = setUp(settings, [{ verify: (presented) => verify(presented) }]);
    for (let i = 0; i <= MAX_FAILURES_PER_MINUTE; i++)
      expect(await auth.authenticate(withToken('acme'))).toBe('unavailable');
    verify = () => Promise.reject(new Error('no keys'));
    expect(await auth.authenticate(withToken('acme'))).toBe('unavailable');
    expect(await auth.find(withToken('acme'))).toBeUndefined();
    verify = () => new Promise(() => {});
    const pending = auth.authenticate(withToken('acme'));
    await clock.advanceAsync(VERIFY_TIMEOUT_MS);
    expect(await pending).toBe('unavailable');
    verify = () => 'notMine';
    expect(await auth.authenticate(withToken('acme'))).toBe('unauthorized');
  });

  it('ends open mode by its presence', async () => {
    const { auth } = setUp({}, [{ verify: () => 'notMine' }]);
    expect(await auth.authenticate(aRequest('127.0.0.1'))).toBe('unauthorized');
    expect(await auth.issuePageCode()).toBeDefined();
  });

  it('leaves no timer behind after its verdict', async () => {
    const { auth, clock } = setUp(settings, [{ verify: () => Promise.resolve(PRINCIPAL) }]);
    await auth.authenticate(withToken('acme'));
    expect(clock.pendingTimers).toBe(0);
  });
});
