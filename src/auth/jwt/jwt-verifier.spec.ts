import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { InProcessBroker } from '../../core/broker/in-process-broker.js';
import { LiveCredentialsService } from '../../core/identity/live-credentials.service.js';
import type { Principal } from '../../core/identity/principal.js';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { loadSettings } from '../../settings.js';
import { ManualClock } from '../../testing/index.js';
import type { PresentedCredential, Refusal, Verdict } from '../credential-verifier.js';
import { SignatureChecks } from '../signature-checks.js';
import { JwtVerifier } from './jwt-verifier.js';

const INPUTS = join(import.meta.dirname, '../../../test/inputs/identity');

interface Case {
  readonly name: string;
  readonly token: string;
  readonly expect: {
    readonly accepted?: boolean;
    readonly principal?: string;
    readonly tenant?: string;
    readonly role?: string;
    readonly log_names?: string;
    readonly log_shows?: string | number;
  };
}

interface Inputs {
  readonly clock: number;
  readonly settings: { readonly 'auth.jwt': Record<string, unknown> };
  readonly cases: readonly Case[];
  readonly token: string;
}

const read = (name: string) => JSON.parse(readFileSync(join(INPUTS, `${name}.json`), 'utf8')) as Inputs;

function setUp({ clock: nowS, settings }: Pick<Inputs, 'clock' | 'settings'>, changes: Record<string, unknown> = {}) {
  const clock = new ManualClock(nowS * 1_000);
  const jwt = { ...settings['auth.jwt'], jwks_file: join(INPUTS, 'keys.jwks.json'), ...changes };
  const config = new ConfigStoreService(loadSettings({}, { 'auth.jwt': jwt }, '/nonexistent'), new SilentLogs());
  const live = new LiveCredentialsService(clock, new InProcessBroker(clock, new SilentLogs()));
  const verifier = new JwtVerifier(config, clock, live, new SignatureChecks(clock), new SilentLogs());
  const ask = (token: string, clientAddress = '203.0.113.1') =>
    Promise.resolve(
      verifier.verify({
        credential: { kind: 'token', token },
        facts: { clientAddress } as PresentedCredential['facts'],
        request: {} as IncomingMessage,
      }),
    );
  return { ask, clock, verifier };
}

const isPrincipal = (verdict: Verdict): verdict is Principal => typeof verdict === 'object' && 'role' in verdict;

/** Words of the inputs for what the reason says in its own. */
const SAYS: Readonly<Record<string, string>> = { 'nbf, with the size of the difference': 'nbf is 61 s ahead' };

describe.each(['claims', 'groups', 'audience', 'long-tokens', 'time-and-issuer', 'tenant'])(
  'the inputs of %s',
  (name) => {
    const inputs = read(name);

    it.each(inputs.cases.map((each) => [each.name, each] as const))(
      '[I-01] %s',
      async (caseName, { token, expect: wanted }) => {
        const verdict = await setUp(inputs).ask(token);
        if (caseName === 'exp 1 s ago')
          return expect(verdict).toEqual({ refused: 'exp was 1 s ago by the clock of this machine' });
        if (caseName.startsWith('duplicate')) return expect(verdict).toMatchObject({ principal: 'root' });
        expect([isPrincipal(verdict), wanted.accepted]).toEqual([wanted.accepted, wanted.accepted]);
        const { principal, tenant, role } = wanted;
        if (isPrincipal(verdict)) {
          expect(verdict).toMatchObject(JSON.parse(JSON.stringify({ principal, tenant, role })) as object);
          return;
        }
        const { refused } = verdict as Refusal;
        const says = wanted.log_names ?? '';
        expect(refused).toContain(SAYS[says] ?? says);
        if (wanted.log_shows === 'both values') expect(refused).toMatch(/acme\/".*acme"/);
        else if (wanted.log_shows !== undefined) expect(refused).toContain(String(wanted.log_shows));
        expect(refused).not.toContain(token.slice(0, 30));
      },
    );
  },
);

describe('a token of an identity provider', () => {
  const inputs = read('claims');
  const good = inputs.cases[0]!.token;

  it('[I-02] has the rights of its group, its own end, and nothing that the setting does not name', async () => {
    const { ask } = setUp(inputs);
    expect(await ask(good)).toEqual({
      tenant: 'acme',
      principal: 'ada',
      role: 'user',
      scopes: new Set(['messages:write', 'presence:write', 'sessions:read']),
      channels: ['webchat'],
      sender: 'ada',
      expiresAt: 1_795_698_000_000,
      issuedAt: 1_795_694_340_000,
      credentialId: 'jwt:["acme","ada"]',
    });
  });

  it('[I-02] gives the scopes of all its groups of the highest role', async () => {
    const two = read('groups').cases.find(({ name }) => name === 'two mapped groups')!;
    expect(await setUp(inputs).ask(two.token)).toMatchObject({
      role: 'operator',
      scopes: new Set(['admin:read', 'admin:write']),
      channels: undefined,
      sender: undefined,
    });
  });

  it('[I-01] may live as long as the setting says', async () => {
    const long = read('long-lifetime');
    expect(await setUp(long).ask(long.token)).toEqual({
      refused: 'exp is 2592000 s ahead, and at most 86400 s are allowed',
    });
    expect(await setUp(long, { max_lifetime_s: 7_776_000 }).ask(long.token)).toMatchObject({ principal: 'ada' });
  });

  it('[I-01] is refused when its time is over, though it was accepted before', async () => {
    const { ask, clock } = setUp(inputs);
    expect(isPrincipal(await ask(good))).toBe(true);
    clock.advance(3_599_000);
    expect(isPrincipal(await ask(good))).toBe(true);
    clock.setWallTime(1_000);
    expect(await ask(good)).toEqual({ refused: 'exp was 0 s ago by the clock of this machine' });
  });

  it('[I-01] is not one without a signature, or with one by a key that the issuer has published', async () => {
    const [header, payload, signature] = good.split('.') as [string, string, string];
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const { ask } = setUp(inputs);
    const forgeries = [
      [encode({ alg: 'none' }), payload, ''],
      [encode({ alg: 'none', kid: 'key-a' }), payload, signature],
      [encode({ alg: 'HS256', kid: 'key-a' }), payload, signature],
      [encode({ alg: 'RS256', kid: 'key-e' }), payload, signature],
      [encode({ alg: 'RS256', kid: ['key-a'] }), payload, signature],
      [encode({ alg: 'RS256', kid: 'key-a', crit: ['exp'], exp: 1 }), payload, signature],
      [encode({ alg: 'RS256', kid: 'key-a', typ: 'logout+jwt' }), payload, signature],
      [header, encode({ iss: 'https://idp.example/realms/acme', sub: 'root' }), signature],
      [header, payload, signature.replace(/^./, (letter) => (letter === 'A' ? 'B' : 'A'))],
    ];
    for (const forged of forgeries)
      expect(await ask(forged.join('.')).catch(() => ({ refused: 'undecided' }))).toHaveProperty('refused');
  });

  it('is another credential unless it is three parts, the first of which is an object', async () => {
    const { ask } = setUp(inputs);
    for (const other of ['sixteen-characters', 'page.a.b.c', 'a.b.c', 'eyJ', `${good}.x`])
      expect(await ask(other)).toBe('notMine');
  });

  it('[I-08] costs no more than 600 checks of a signature in a minute for one address; known tokens pass', async () => {
    const { ask } = setUp(inputs);
    expect(isPrincipal(await ask(good))).toBe(true);
    const forged = `${good.slice(0, -8)}AAAAAAAA`;
    for (let i = 0; i < 599; i++) expect(await ask(forged)).toHaveProperty('refused');
    await expect(ask(forged)).rejects.toThrow('too many signatures');
    expect(isPrincipal(await ask(good))).toBe(true);
    expect(await ask(forged, '203.0.113.2')).toHaveProperty('refused');
  });
});
