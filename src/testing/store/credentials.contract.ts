import { expect } from 'vitest';
import type { SignInRecord, TokenRecord } from '../../core/store/index.js';
import type { Contract } from './bench.js';

const aToken = (id: string, changes: Partial<TokenRecord> = {}): TokenRecord => ({
  id,
  tenant: 'default',
  principal: 'ci',
  role: 'operator',
  scopes: ['admin:read'],
  createdAt: 1,
  createdBy: 'ann',
  ...changes,
});

const aSignIn = (id: string, changes: Partial<SignInRecord> = {}): SignInRecord => ({
  id,
  subject: 'ada',
  tenant: 'default',
  principal: 'ada',
  role: 'user',
  scopes: ['messages:write'],
  ...{ renewedAt: 1, renewAt: 10, expiresAt: 15, endsAt: 100, sealed: 'x' },
  ...changes,
});

const sha = (digit: string) => digit.repeat(64);

/** Tokens that are made at run time. */
export const credentialsContract: Contract = {
  'keeps a token with all its rights, found by its digest alone': async ({ store, under }) => {
    const token = aToken('t1', { channels: ['webchat'], sender: 'ci-1', role: 'user', expiresAt: 5 });
    expect(await store.addToken(token, sha('a'), 9)).toBe(true);
    await under.crash();
    expect(await under.store.findToken(sha('a'))).toEqual(token);
    expect(await under.store.findToken(sha('b'))).toBeUndefined();
    expect(await under.store.findToken('t1')).toBeUndefined();
  },

  'lists the tokens of a tenant in pages': async ({ store }) => {
    for (const id of ['t3', 't1', 't2']) await store.addToken(aToken(id), sha(id[1]!), 9);
    await store.addToken(aToken('t0', { tenant: 'acme' }), sha('0'), 9);
    const list = async (after?: string) =>
      (await store.listTokens({ tenant: 'default', after, limit: 2 })).map(({ id }) => id);
    expect(await list()).toEqual(['t1', 't2']);
    expect(await list('t2')).toEqual(['t3']);
    expect(await store.listTokens({ tenant: 'other', limit: 2 })).toEqual([]);
  },

  'adds no more tokens than a tenant may have': async ({ store }) => {
    expect(await store.addToken(aToken('t1'), sha('1'), 1)).toBe(true);
    expect(await store.addToken(aToken('t2'), sha('2'), 1)).toBe(false);
    expect(await store.addToken(aToken('t3', { tenant: 'acme' }), sha('3'), 1)).toBe(true);
    expect(await store.findToken(sha('2'))).toBeUndefined();
  },

  'removes a token of the own tenant only, once, and records both ends without the digest': async ({ store }) => {
    await store.addToken(aToken('t1'), sha('a'), 9);
    expect(await store.removeToken('acme', 't1', 'eve')).toBe(false);
    expect(await store.removeToken('default', 't1', 'ann')).toBe(true);
    expect(await store.removeToken('default', 't1', 'ann')).toBe(false);
    expect(await store.findToken(sha('a'))).toBeUndefined();
    const rows = await store.listAudit({ order: 'oldest', limit: 9 });
    expect(rows).toMatchObject([
      { action: 'token.create', actor: 'ann', target: 't1', tenant: 'default', before: 'null' },
      { action: 'token.revoke', actor: 'ann', target: 't1', tenant: 'default', after: 'null' },
    ]);
    expect(JSON.parse(rows[0]!.after)).toMatchObject({ principal: 'ci', role: 'operator', scopes: ['admin:read'] });
    expect(JSON.stringify(rows)).not.toContain(sha('a'));
  },

  'lists the tokens that expire soon, the soonest first': async ({ store, under }) => {
    const now = under.now();
    const ends = { t1: 900, t2: 1_000, t3: 1_001, t4: -1, t5: 500 };
    for (const [id, ms] of Object.entries(ends))
      await store.addToken(aToken(id, { expiresAt: now + ms }), sha(id[1]!), 9);
    await store.addToken(aToken('t6'), sha('6'), 9);
    await store.addToken(aToken('t7', { tenant: 'acme', expiresAt: now + 700 }), sha('7'), 9);
    const list = async (tenant: string, limit = 9) =>
      (await store.listExpiringTokens(tenant, 1_000, limit)).map(({ id }) => id);
    expect(await list('default')).toEqual(['t5', 't1', 't2']);
    expect(await list('default', 1)).toEqual(['t5']);
    expect(await list('*')).toEqual(['t5', 't7', 't1', 't2']);
  },

  'knows which principals have a token that has not expired': async ({ store, under }) => {
    await store.addToken(aToken('t1', { expiresAt: under.now() + 1_000 }), sha('a'), 9);
    expect(await store.hasToken('default', 'ci')).toBe(true);
    expect(await store.hasToken('acme', 'ci')).toBe(false);
    await under.passTime(1_000);
    expect(await store.hasToken('default', 'ci')).toBe(false);
  },

  'keeps a sign-in with all its fields, and the new ones after a renewal': async ({ store, under }) => {
    const signIn = aSignIn('a', { sid: 's1', channels: ['webchat'], sender: 'ada' });
    await store.addSignIn(signIn, '203.0.113.1');
    const renewed = { ...signIn, renewAt: 20, expiresAt: 25, sealed: 'y' };
    expect(await store.findSignIn('a')).toEqual(signIn);
    expect(await store.renewSignIn(renewed)).toBe(true);
    await under.crash();
    expect(await under.store.findSignIn('a')).toEqual(renewed);
    expect(await under.store.renewSignIn(aSignIn('b'))).toBe(false);
    expect(await under.store.findSignIn('b')).toBeUndefined();
  },

  'lets one at a time renew a sign-in': async ({ store, under }) => {
    await store.addSignIn(aSignIn('a'), '203.0.113.1');
    const lease = (renewAt = 10) => under.store.leaseSignIn('a', renewAt, under.now() + 1_000);
    expect((await Promise.all([lease(), lease(), lease()])).filter(Boolean)).toHaveLength(1);
    await store.renewSignIn(aSignIn('a'));
    expect(await lease(11)).toBe(false);
    expect(await lease()).toBe(true);
    await under.passTime(1_000);
    expect(await lease()).toBe(true);
    await store.renewSignIn(aSignIn('a', { renewAt: 20 }));
    expect([await lease(), await lease(20)]).toEqual([false, true]);
  },

  'removes a sign-in, those of a session of the provider, or of a person': async ({ store }) => {
    const some = [aSignIn('a'), aSignIn('b', { sid: 's1' }), aSignIn('c', { sid: 's1' }), aSignIn('d'), aSignIn('e')];
    for (const signIn of some) await store.addSignIn(signIn, '203.0.113.1');
    await store.addSignIn(aSignIn('f', { subject: 'bob', principal: 'bob' }), '203.0.113.2');
    expect(await store.removeSignIns({ id: 'a' }, 'ada')).toEqual(['a']);
    expect(await store.removeSignIns({ id: 'a' }, 'ada')).toEqual([]);
    expect([...(await store.removeSignIns({ sid: 's1' }, 'idp'))].sort()).toEqual(['b', 'c']);
    expect([...(await store.removeSignIns({ subject: 'ada' }, 'idp'))].sort()).toEqual(['d', 'e']);
    expect(await store.findSignIn('f')).toBeDefined();
    expect(await store.removeSignIns({}, 'idp')).toEqual([]);
    const rows = await store.listAudit({ order: 'newest', limit: 9 });
    expect(rows[0]).toMatchObject({ action: 'auth.sign_out', actor: 'idp', target: 'ada', after: 'null' });
    expect(rows.at(-1)).toMatchObject({ action: 'auth.sign_in', actor: 'ada', target: '203.0.113.1' });
  },
};
