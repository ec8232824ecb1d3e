import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { InProcessBroker } from '../../core/broker/in-process-broker.js';
import { LiveCredentialsService } from '../../core/identity/live-credentials.service.js';
import type { Principal } from '../../core/identity/principal.js';
import type { CredentialStore, SignInRecord } from '../../core/store/index.js';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { ProviderDownError, UndecidedError } from '../credential-verifier.js';
import { toPrincipal } from '../rights.js';
import type { OidcClientService } from './oidc-client.service.js';
import { ProviderRefusal, type Identity, type ProviderTokens } from './oidc-provider.js';
import { GRACE_MS, SignInsService } from './sign-ins.service.js';

const MINUTE_MS = 60_000;
const LIFETIME_MS = 5 * MINUTE_MS;

/** The sign-ins of one store. */
class FakeStore {
  readonly records = new Map<string, SignInRecord>();
  private readonly leases = new Map<string, number>();

  constructor(private readonly clock: ManualClock) {}

  async addSignIn(record: SignInRecord): Promise<void> {
    this.records.set(record.id, record);
  }

  async findSignIn(id: string): Promise<SignInRecord | undefined> {
    return this.records.get(id);
  }

  async leaseSignIn(id: string, renewAt: number, until: number): Promise<boolean> {
    const isFree = (this.leases.get(id) ?? 0) <= this.clock.now();
    if (!isFree || this.records.get(id)?.renewAt !== renewAt) return false;
    this.leases.set(id, until);
    return true;
  }

  async renewSignIn(record: SignInRecord): Promise<boolean> {
    if (!this.records.has(record.id)) return false;
    this.records.set(record.id, record);
    this.leases.delete(record.id);
    return true;
  }

  async removeSignIns(selector: { readonly id: string }): Promise<readonly string[]> {
    return [...this.records.keys()].filter((id) => id === selector.id && this.records.delete(id));
  }
}

/** A provider that gives one refresh token for another. */
class FakeProvider {
  refreshes = 0;
  /** Thrown instead of giving tokens. */
  refusal: Error | undefined;
  /** False if it renews without an ID token. */
  sendsIdToken = true;
  /** Thrown instead of reading an ID token. */
  unreadable: Error | undefined;
  private valid = 'first';

  constructor(private readonly clock: ManualClock) {}

  get tokens(): ProviderTokens {
    return { idToken: 'x', refreshToken: this.valid };
  }

  async refresh(refreshToken: string): Promise<Partial<ProviderTokens>> {
    this.refreshes++;
    if (this.refusal) throw this.refusal;
    if (refreshToken !== this.valid) throw new ProviderRefusal('invalid_grant');
    this.valid = `after ${refreshToken}`;
    return this.sendsIdToken ? this.tokens : { refreshToken: this.valid };
  }

  async readIdToken(): Promise<Identity> {
    if (this.unreadable) throw this.unreadable;
    const expiresAt = this.clock.now() + LIFETIME_MS;
    const rights = toPrincipal({ tenant: 'default', principal: 'ada', role: 'user' });
    return { principal: { ...rights, expiresAt }, subject: 'ada', sid: undefined };
  }
}

const DOWN = new ProviderDownError('connect ECONNREFUSED');
const REFUSED = new ProviderRefusal('invalid_grant');

/** @param tokens of the sign-in, where they are not those of the provider */
async function setUp(tokens: Partial<ProviderTokens> = {}) {
  const clock = new ManualClock();
  const logs = new SilentLogs();
  const provider = new FakeProvider(clock);
  const store = new FakeStore(clock);
  /** Starts a gateway with the store. */
  const start = () => {
    const live = new LiveCredentialsService(clock, new InProcessBroker(clock, logs));
    const client = { provider, origin: 'https://chat.test', cookies: { read: () => cookie } };
    const clients = { isConfigured: true, find: () => client, get: () => client } as unknown as OidcClientService;
    const signIns = new SignInsService(clients, store as unknown as CredentialStore, live, clock, logs);
    const request = { method: 'GET', headers: {} } as IncomingMessage;
    const ask = async () =>
      signIns.verify({ credential: { kind: 'none' }, request, facts: {} as never }) as Promise<Principal>;
    /** Returns whether the sign-in is accepted: `later` if that cannot be decided. */
    const check = () =>
      ask().then(
        (verdict) => ('principal' in verdict ? 'accepted' : 'ended'),
        (error: unknown) => (error instanceof UndecidedError ? 'later' : (error as Error).message),
      );
    /** Opens a connection. Returns until when it was open. */
    const connect = async () => {
      const line = { endedAt: undefined as number | undefined };
      live.watch(await ask(), () => (line.endedAt ??= clock.now()));
      return line;
    };
    return { signIns, check, connect };
  };
  let cookie = '';
  const gateway = start();
  cookie = await gateway.signIns.open(await provider.readIdToken(), { ...provider.tokens, ...tokens }, '203.0.113.1');
  const expiresAt = clock.now() + LIFETIME_MS;
  /** Advances to a time after the end of the ID token of the sign-in. */
  const advanceTo = (afterEndMs: number) => clock.advanceAsync(expiresAt + afterEndMs - clock.now());
  return { clock, provider, store, start, ...gateway, expiresAt, advanceTo };
}

describe('a sign-in whose provider cannot be asked', () => {
  it('[I-18] goes on for ten minutes after its ID token has ended, with what it has opened, and not longer', async () => {
    const { provider, check, connect, expiresAt, advanceTo } = await setUp();
    const before = await connect();
    provider.refusal = DOWN;
    await advanceTo(-1_000);
    const late = await connect();
    await advanceTo(5 * MINUTE_MS);
    expect(await check()).toBe('accepted');
    const during = await connect();
    await advanceTo(GRACE_MS - 1);
    expect([before.endedAt, late.endedAt, during.endedAt, await check()]).toEqual([
      undefined,
      undefined,
      undefined,
      'accepted',
    ]);
    await advanceTo(GRACE_MS + 1_000);
    const end = expiresAt + GRACE_MS;
    expect([before.endedAt, late.endedAt, during.endedAt, await check()]).toEqual([end, end, end, 'later']);
  });

  it('[I-18] is renewed again and again, at least every 30 s and not in a loop', async () => {
    const { clock, provider, connect } = await setUp();
    await connect();
    provider.refusal = DOWN;
    await clock.advanceAsync(LIFETIME_MS + 5 * MINUTE_MS);
    const { refreshes } = provider;
    expect(refreshes).toBeGreaterThanOrEqual(12);
    expect(refreshes).toBeLessThan(40);
    await clock.advanceAsync(30_000);
    expect(provider.refreshes).toBeGreaterThan(refreshes);
  });

  it('[I-18] has its rights renewed when the provider is back, also after the ten minutes', async () => {
    const { clock, provider, check, connect, advanceTo } = await setUp();
    const line = await connect();
    provider.refusal = DOWN;
    await advanceTo(5 * MINUTE_MS);
    provider.refusal = undefined;
    await clock.advanceAsync(30_000);
    await clock.advanceAsync(GRACE_MS);
    expect([line.endedAt, await check()]).toEqual([undefined, 'accepted']);
    provider.refusal = DOWN;
    await clock.advanceAsync(GRACE_MS + 2 * LIFETIME_MS);
    expect(await check()).toBe('later');
    provider.refusal = undefined;
    await clock.advanceAsync(30_000);
    expect(await check()).toBe('accepted');
  });

  it('[I-18] ends at once when the provider refuses it', async () => {
    const { clock, provider, check, connect, advanceTo } = await setUp();
    const line = await connect();
    provider.refusal = DOWN;
    await advanceTo(MINUTE_MS);
    provider.refusal = REFUSED;
    const refusedAt = clock.now();
    await clock.advanceAsync(30_000);
    expect(line.endedAt).toBeGreaterThan(refusedAt);
    expect(await check()).toBe('ended');
  });

  it('[I-18] has after a restart the time that was left, neither more nor none', async () => {
    const { provider, start, advanceTo } = await setUp();
    provider.refusal = DOWN;
    await advanceTo(9 * MINUTE_MS);
    const restarted = start();
    expect(await restarted.check()).toBe('accepted');
    await advanceTo(GRACE_MS);
    expect(await restarted.check()).toBe('later');
    expect(await start().check()).toBe('later');
  });

  it.each([
    ['that the provider refuses', REFUSED],
    ['without a refresh token', undefined],
  ])('[I-18] %s ends with its ID token', async (_, refusal) => {
    const { provider, store, check, connect, expiresAt, advanceTo } = await setUp(
      refusal ? {} : { refreshToken: undefined },
    );
    provider.refusal = refusal;
    const line = await connect();
    await advanceTo(1);
    expect(line.endedAt).toBeLessThanOrEqual(expiresAt);
    expect(await check()).toBe('ended');
    expect(store.records.size).toBe(0);
  });

  it('[I-15] lasts as long as its ID token when it is renewed without another one', async () => {
    const { provider, check, connect, expiresAt, advanceTo } = await setUp();
    const line = await connect();
    provider.sendsIdToken = false;
    await advanceTo(-1_000);
    expect([line.endedAt, await check(), provider.refreshes]).toEqual([undefined, 'accepted', 1]);
    await advanceTo(1);
    expect([line.endedAt, await check()]).toEqual([expiresAt, 'ended']);
  });

  it.each(['invalid_client', 'invalid_request', 'slow_down'])(
    '[I-18] goes on for ten minutes when the provider refuses the gateway: %s',
    async (code) => {
      const { provider, check, advanceTo } = await setUp();
      provider.refusal = new ProviderRefusal(code);
      await advanceTo(9 * MINUTE_MS);
      expect(await check()).toBe('accepted');
      await advanceTo(GRACE_MS);
      expect(await check()).toBe('later');
    },
  );

  it('[I-15] keeps the new refresh token when its ID token cannot be checked now', async () => {
    const { provider, check, connect, advanceTo } = await setUp();
    await connect();
    provider.unreadable = new UndecidedError('the keys of the issuer were requested a moment ago');
    await advanceTo(-60_000);
    expect(provider.refreshes).toBeGreaterThan(0);
    provider.unreadable = undefined;
    await advanceTo(2_000);
    expect(await check()).toBe('accepted');
    await advanceTo(LIFETIME_MS);
    expect(await check()).toBe('accepted');
  });

  it('[I-15] is renewed by another replica when the one that began has failed', async () => {
    const { clock, provider, start, check, advanceTo } = await setUp();
    await advanceTo(1);
    provider.refusal = DOWN;
    const checks = Promise.all([check(), start().check()]);
    await clock.advanceAsync(1_000);
    expect(await checks).toEqual(['accepted', 'accepted']);
    expect(provider.refreshes).toBe(2);
  });
});
