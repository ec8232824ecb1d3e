import { afterAll, describe, expect, it } from 'vitest';
import { findFreePort } from '../../src/testing/free-port.js';
import { FrameClient } from '../support/frame-client.js';
import { TestBrowser, type Visit } from '../support/test-browser.js';
import { TestProvider } from '../support/test-provider.js';
import { bearer, TOKENS, useTarget } from './target.js';

const SESSION = 'openclaw-session';

let provider: TestProvider;
// The provider knows the address of the gateway, so it is chosen before both start.
const port = await findFreePort();
const url = `http://127.0.0.1:${port}`;
const target = useTarget({
  port,
  prepare: async () => {
    provider = await TestProvider.start(url);
    provider.groups.set('ada', ['users']);
    provider.groups.set('root', ['admins']);
    return { gateway: { public_url: url, trusted_proxies: ['127.0.0.1'] }, auth: { oidc: provider.setting } };
  },
});
afterAll(() => provider.close());

/** Signs a person in at the provider. Returns the way back to the gateway. */
async function enter(browser: TestBrowser, name: string, path = '/auth/login?return_to=/chat'): Promise<Visit> {
  const back = /\/auth\/callback/;
  const login = await browser.visit(`${url}${path}`, {}, back);
  if (back.test(login.url)) return login;
  const consent = await browser.submit(login, { login: name, password: 'x' }, back);
  return back.test(consent.url) ? consent : browser.submit(consent, {}, back);
}
async function signIn(name: string): Promise<TestBrowser> {
  const browser = new TestBrowser();
  await browser.visit((await enter(browser, name)).url);
  expect(browser.cookiesFor(url)).toContain(SESSION);
  return browser;
}
const withCookie = (browser: TestBrowser, headers: Record<string, string> = {}) => ({
  ...headers,
  cookie: browser.cookiesFor(url),
});
const me = async (headers: Record<string, string>) =>
  (await target.request('/admin/v1/me', { headers: target.asStranger(headers) })).status;

describe('the way back from the identity provider', () => {
  it('[SE-25] is refused with a made-up state, another browser, a code that was used, or none', async () => {
    const [victim, thief] = [new TestBrowser(), new TestBrowser()];
    const back = (await enter(thief, 'ada')).url;
    const stolen = await victim.visit(back, {}, /\/interaction\//);
    expect(victim.cookiesFor(url)).not.toContain(SESSION);
    expect(stolen.url).not.toContain('/chat');
    await thief.visit(back);
    expect(thief.cookiesFor(url)).toContain(SESSION);
    const again = new TestBrowser();
    await again.visit(back, {}, /\/interaction\//);
    expect(again.cookiesFor(url)).not.toContain(SESSION);
    const { search } = new URL(back);
    for (const query of [
      '',
      '?',
      '?code=x',
      '?state=x',
      '?state=x&code=y',
      `${search}x`,
      `${search}&state=1`,
      '?state[]=1',
      '?state=__proto__',
      `?state=${'x'.repeat(8_000)}`,
      '?error=access_denied&state=x',
    ]) {
      const { status } = await target.request(`/auth/callback${query}`);
      expect([query.slice(0, 40), [302, 400].includes(status)]).toEqual([query.slice(0, 40), true]);
    }
  });

  it('[SE-25] leads to pages of the gateway alone', async () => {
    const targets = [
      '//evil.example',
      'https://evil.example',
      '/\\evil.example',
      '/chat/../../evil',
      '/admin/v1/config',
      '/chat\\evil',
      'javascript:alert(1)',
      '/chat\r\nX: y',
      '/chat%0d%0aSet-Cookie:a=b',
    ];
    for (const wanted of targets) {
      const browser = new TestBrowser();
      const back = await enter(browser, 'ada', `/auth/login?return_to=${encodeURIComponent(wanted)}`);
      const { headers } = await target.request(new URL(back.url).pathname + new URL(back.url).search, {
        headers: withCookie(browser),
      });
      expect([wanted, headers.location]).toEqual([wanted, expect.stringMatching(new RegExp(`^${url}/chat`)) as string]);
      expect(headers.location).not.toContain('evil');
    }
  });

  it('[SE-25] believes no header about where the gateway is', async () => {
    for (const name of ['x-forwarded-host', 'x-forwarded-proto', 'forwarded', 'x-original-url', 'x-rewrite-url']) {
      const { headers } = await target.request('/auth/login', { headers: { [name]: 'evil.example' } });
      expect(new URL(String(headers.location)).searchParams.get('redirect_uri')).toBe(`${url}/auth/callback`);
    }
  });

  it('[SE-12] shows what the provider says as text', async () => {
    const browser = new TestBrowser();
    const back = new URL((await enter(browser, 'ada')).url);
    const said = '<script>alert(1)</script>';
    const query = `state=${back.searchParams.get('state')}&error=x&error_description=${encodeURIComponent(said)}`;
    const { status, text } = await browser.visit(`${url}/auth/callback?${query}`);
    expect(status).toBe(400);
    expect(text).not.toContain(said);
  });
});

describe('the cookie of a sign-in', () => {
  it('[SE-25] is for pages of the gateway, and of no use to others', async () => {
    const browser = await signIn('root');
    const cookie = browser.received.find((one) => one.startsWith(`${SESSION}=`));
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Lax/);
    expect(await me(withCookie(browser))).toBe(200);
    const foreign = withCookie(browser, { origin: 'http://evil.example', 'content-type': 'application/json' });
    for (const [method, path] of [
      ['POST', '/admin/v1/tokens'],
      ['PATCH', '/admin/v1/config'],
      ['DELETE', '/admin/v1/sessions/x'],
      ['POST', '/auth/logout'],
    ] as const)
      expect([
        path,
        (await target.request(path, { method, headers: foreign, body: method === 'DELETE' ? '' : '{}' })).status,
      ]).toEqual([path, 403]);
    await expect(FrameClient.open(port, '', { headers: foreign })).rejects.toThrow('HTTP 403');
    const without = await FrameClient.open(port, '', { headers: target.asStranger(withCookie(browser)) });
    expect((await without.ended).code).toBe(4001);
  });

  it('[SE-25] is not guessed, and not accepted twice or beside another credential of other rights', async () => {
    const browser = await signIn('ada');
    const [, value = ''] = new RegExp(`${SESSION}=([^;]*)`).exec(browser.cookiesFor(url)) ?? [];
    const changed = `${value.slice(0, -1)}${value.endsWith('A') ? 'B' : 'A'}`;
    for (const forged of [
      '',
      'x',
      changed,
      value.toUpperCase(),
      `${value}x`,
      '__proto__',
      'x'.repeat(4_000),
      TOKENS.owner,
    ])
      expect([forged.slice(0, 20), await me({ cookie: `${SESSION}=${forged}` })]).toEqual([forged.slice(0, 20), 401]);
    expect(await me({ cookie: `${SESSION}=${changed}; ${SESSION}=${value}` })).toBeGreaterThanOrEqual(401);
    expect(target.output).not.toContain(value);
  });
});

describe('a report of the provider that a person has signed out', () => {
  const report = async (body: string) =>
    (
      await target.request('/auth/backchannel-logout', {
        method: 'POST',
        headers: target.asStranger({ 'content-type': 'application/x-www-form-urlencoded' }),
        body,
      })
    ).status;

  it('[SE-25] counts by its signature alone; a forged one ends nothing', async () => {
    const browser = await signIn('ada');
    const client = await FrameClient.open(port, '', { headers: withCookie(browser, { origin: url }) });
    await client.next('connected');
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = {
      ...{ iss: provider.issuer, aud: 'gateway', sub: 'ada', jti: 'x' },
      ...{ iat: Math.floor(Date.now() / 1_000), exp: Math.floor(Date.now() / 1_000) + 60 },
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    };
    const forged = ['none', 'HS256', 'RS256', 'ES256'].map(
      (alg) => `${encode({ alg, typ: 'logout+jwt' })}.${encode(claims)}.AAAA`,
    );
    for (const body of [
      '',
      'logout_token',
      'logout_token=',
      'logout_token=x',
      'logout_token=a.b.c',
      ...forged.map((token) => `logout_token=${token}`),
    ])
      expect([body.slice(0, 40), [400, 503].includes(await report(body))]).toEqual([body.slice(0, 40), true]);
    // An ID token is signed by the provider too, but it is not a logout token.
    const { text } = await browser.visit(`${url}/auth/logout`, { method: 'POST', headers: { origin: url } });
    const idToken =
      new URL((JSON.parse(text) as { location: string }).location).searchParams.get('id_token_hint') ?? '';
    expect((await client.ended).code).toBe(4001);
    expect(await report(`logout_token=${idToken}`)).toBe(400);
    expect(await report('x'.repeat(70_000))).toBe(413);
  });

  it('[SE-05] that is forged counts as a failed authentication of its address', async () => {
    const headers = target.asStranger({ 'content-type': 'application/x-www-form-urlencoded' });
    const statuses: number[] = [];
    for (let n = 0; n < 25; n++)
      statuses.push(
        (await target.request('/auth/backchannel-logout', { method: 'POST', headers, body: 'logout_token=x' })).status,
      );
    expect([statuses[0], statuses.includes(429)]).toEqual([400, true]);
    expect((await target.request('/admin/v1/me', { headers: { ...headers, ...bearer(TOKENS.owner) } })).status).toBe(
      200,
    );
  });

  it('[SE-25] is taken at its address alone, by POST', async () => {
    for (const method of ['GET', 'PUT', 'DELETE'])
      expect([404, 405]).toContain((await target.request('/auth/backchannel-logout', { method })).status);
    const foreign = { origin: 'http://evil.example', 'content-type': 'application/x-www-form-urlencoded' };
    expect(
      (await target.request('/auth/backchannel-logout', { method: 'POST', headers: foreign, body: 'logout_token=x' }))
        .status,
    ).toBe(403);
  });
});
