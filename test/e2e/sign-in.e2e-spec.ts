import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digest } from '../../src/auth/digest.js';
import { AuditStore, CredentialStore } from '../../src/core/store/index.js';
import { findFreePort } from '../../src/testing/free-port.js';
import { KeptLogs } from '../../src/testing/kept-logs.js';
import { eventually } from '../support/eventually.js';
import { FrameClient } from '../support/frame-client.js';
import { GatewayApp } from '../support/gateway-app.js';
import { httpRequest } from '../support/http-request.js';
import { MovedClock } from '../support/moved-clock.js';
import { TestBrowser, type Visit } from '../support/test-browser.js';
import { TestProvider } from '../support/test-provider.js';

const SESSION = 'openclaw-session';

describe('the sign-in by an identity provider', () => {
  let provider: TestProvider;
  let gateway: GatewayApp;
  let clock: MovedClock;
  let url: string;
  beforeEach(async () => {
    const port = await findFreePort();
    url = `http://127.0.0.1:${port}`;
    provider = await TestProvider.start(url);
    provider.groups.set('ada', ['users']);
    provider.groups.set('root', ['admins']);
    clock = new MovedClock();
    const jwt = { issuer: provider.issuer, audience: 'gateway', claims: provider.setting['claims'] };
    gateway = await GatewayApp.start({
      ...{ clock, logs: new KeptLogs(), port },
      settings: { 'gateway.public_url': url, 'auth.oidc': provider.setting, 'auth.jwt': jwt },
    });
  });
  afterEach(async () => {
    await gateway.close();
    await provider.close();
  });

  /** Signs a person in at the provider, up to the way back. */
  const enter = async (browser: TestBrowser, name: string, path = '/auth/login?return_to=/chat'): Promise<Visit> => {
    const back = /\/auth\/callback/;
    const login = await browser.visit(`${url}${path}`, {}, back);
    if (back.test(login.url)) return login;
    const consent = await browser.submit(login, { login: name, password: 'x' }, back);
    return back.test(consent.url) ? consent : browser.submit(consent, {}, back);
  };
  const signIn = async (name: string, browser = new TestBrowser()) => {
    const visit = await browser.visit((await enter(browser, name)).url);
    return { browser, visit };
  };
  const connect = (browser: TestBrowser, origin: string | undefined = url) =>
    FrameClient.open(gateway.port, '', {
      headers: { cookie: browser.cookiesFor(url), ...(origin !== '' && { origin }) },
    });
  const findRenewal = async (browser: TestBrowser) => {
    const cookie = new RegExp(`${SESSION}=([^;]*)`).exec(browser.cookiesFor(url))![1]!;
    return (await gateway.app.get(CredentialStore, { strict: false }).findSignIn(digest(cookie)))?.renewedAt;
  };
  const readConfig = async (browser: TestBrowser) =>
    (await httpRequest(gateway.port, '/admin/v1/config', { headers: { cookie: browser.cookiesFor(url) } })).status;

  it('[I-14] [I-16] signs a person in with the rights of the groups, by a short cookie for pages of the gateway', async () => {
    provider.extraClaims = { padding: 'x'.repeat(10_000) };
    await provider.rotate();
    clock.aheadMs = 6_000;
    const { browser, visit } = await signIn('ada');
    expect(new URL(visit.url).pathname).toBe('/chat');
    const cookie = browser.received.find((each) => each.startsWith(`${SESSION}=`))!;
    expect(cookie.length).toBeLessThan(200);
    expect(cookie).toMatch(/; Path=\/; Max-Age=604800; HttpOnly; SameSite=Lax$/);
    const client = await connect(browser);
    expect((await client.next('connected')).payload).toMatchObject({
      role: 'user',
      client_id: expect.any(String) as string,
    });
    await client.close();
    expect((await (await connect(browser, '')).ended).code).toBe(4001);
    await expect(connect(browser, 'http://evil.example')).rejects.toThrow('HTTP 403');
    const other = `http://localhost:${gateway.port}`;
    expect((await (await connect(browser, other)).ended).code).toBe(4001);
    expect((await browser.visit(`${url}/auth/session`)).text).toBe('{"offered":true,"signed_in":true}');
    expect((await new TestBrowser().visit(`${url}/auth/session`)).text).toBe('{"offered":true,"signed_in":false}');
    expect(await readConfig(browser)).toBe(403);
    expect(await readConfig((await signIn('root')).browser)).toBe(200);
  });

  it('[I-14] refuses a person without a mapped group, and says so', async () => {
    const { browser, visit } = await signIn('<b>eve');
    expect([visit.status, visit.text]).toEqual([403, expect.stringContaining('no mapped group') as string]);
    expect(browser.cookiesFor(url)).not.toContain(SESSION);
    expect((await (await connect(browser)).ended).code).toBe(4001);
  });

  it('[I-14] begins a sign-in again that the browser has lost, once, and shows no code of another browser a way in', async () => {
    const [victim, thief] = [new TestBrowser(), new TestBrowser()];
    const back = (await enter(thief, 'ada')).url;
    const again = await victim.visit(back, {}, /\/auth\/callback|\/interaction\//);
    expect(again.url).toContain('/interaction/');
    const second = await enter(victim, 'ada', `/auth/callback${new URL(back).search}`);
    victim.forget(url, 'openclaw-sign-in');
    const lost = await victim.visit(second.url);
    expect([lost.status, lost.text]).toEqual([400, expect.stringContaining('is not known here') as string]);
    expect(victim.cookiesFor(url)).not.toContain(SESSION);
    for (const forged of ['', 'state=x&code=y', `${new URL(back).search.slice(1)}x&state=1`])
      expect((await victim.visit(`${url}/auth/callback?${forged}`)).status).toBe(400);
  });

  it('[I-14] leads back to pages of the gateway alone, whatever a header or the query says', async () => {
    for (const target of [
      '//evil.example',
      'https://evil.example',
      '/chat/../../evil',
      '/admin/v1/config',
      '/chat\\evil',
    ]) {
      const browser = new TestBrowser();
      const back = await enter(browser, 'ada', `/auth/login?return_to=${encodeURIComponent(target)}`);
      expect((await browser.visit(back.url, {}, /evil|\/chat$|config/)).url).toBe(`${url}/chat`);
    }
    const { headers } = await httpRequest(gateway.port, '/auth/login', {
      headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    });
    expect(new URL(headers.location!).searchParams.get('redirect_uri')).toBe(`${url}/auth/callback`);
  });

  it('[I-14] keeps five sign-ins of a browser that have begun', async () => {
    const browser = new TestBrowser();
    for (let i = 0; i < 9; i++) await browser.visit(`${url}/auth/login`, {}, /\/auth\?/);
    expect(/openclaw-sign-in=([^;]*)/.exec(browser.cookiesFor(url))![1]!.split('.')).toHaveLength(5);
  });

  it('[I-15] renews once for two tabs, without a new cookie, and connections go on', async () => {
    const { browser } = await signIn('root');
    const client = await connect(browser);
    await client.next('connected');
    const cookies = browser.received.length;
    clock.aheadMs = 45 * 60_000;
    const renewedAt = await findRenewal(browser);
    expect(await Promise.all([readConfig(browser), readConfig(browser)])).toEqual([200, 200]);
    // The provider has answered before the gateway has read it: a clock that moves between the two moves the next renewal.
    await eventually(async () => expect(await findRenewal(browser)).not.toBe(renewedAt));
    expect(provider.refreshes).toBe(1);
    clock.aheadMs = 58 * 60_000;
    expect(await Promise.all([readConfig(browser), readConfig(browser)])).toEqual([200, 200]);
    await eventually(() => expect(provider.refreshes).toBe(2));
    expect(browser.received.length).toBe(cookies);
    expect(client.socket.readyState).toBe(1);
  });

  it('[I-15] ends connections and access when the renewal gives fewer rights, and all when the provider refuses it', async () => {
    const { browser } = await signIn('root');
    const client = await connect(browser);
    await client.next('connected');
    provider.groups.set('root', ['users']);
    clock.aheadMs = 45 * 60_000;
    expect(await readConfig(browser)).toBe(200);
    expect((await client.ended).code).toBe(4001);
    expect(await readConfig(browser)).toBe(403);
    const weaker = await connect(browser);
    expect((await weaker.next('connected')).payload).toMatchObject({ role: 'user' });
    provider.groups.delete('root');
    clock.aheadMs = 110 * 60_000;
    expect(await readConfig(browser)).toBe(401);
    expect((await weaker.ended).code).toBe(4001);
  });

  it('[I-07] [I-18] goes on while the provider is down, and after ten minutes cannot be decided on, which is said', async () => {
    const { browser } = await signIn('root');
    await provider.close();
    clock.aheadMs = 45 * 60_000;
    expect(await readConfig(browser)).toBe(200);
    clock.aheadMs = 65 * 60_000;
    expect(await readConfig(browser)).toBe(200);
    const during = await connect(browser);
    await during.next('connected');
    clock.aheadMs = 71 * 60_000;
    const refusal = await httpRequest(gateway.port, '/admin/v1/config', {
      headers: { cookie: browser.cookiesFor(url) },
    });
    expect([refusal.status, refusal.text]).toEqual([
      503,
      expect.stringContaining('identity provider cannot be reached'),
    ]);
    expect(await (await connect(browser)).ended).toMatchObject({
      code: 1013,
      reason: 'The identity provider cannot be reached',
    });
    const login = await new TestBrowser().visit(`${url}/auth/login`);
    expect([login.status, login.text]).toEqual([503, expect.stringContaining('cannot be reached now') as string]);
    provider = await TestProvider.start(url);
  });

  it('[I-17] signs out in all tabs, with a way to the provider, for pages of the gateway alone', async () => {
    const { browser } = await signIn('ada');
    const tabs = [await connect(browser), await connect(browser)];
    for (const tab of tabs) await tab.next('connected');
    const post = (origin: string) => browser.visit(`${url}/auth/logout`, { method: 'POST', headers: { origin } });
    expect((await post(`http://localhost:${gateway.port}`)).text).toBe('{}');
    expect((await browser.visit(`${url}/auth/session`)).text).toContain('"signed_in":true');
    const cookie = browser.cookiesFor(url);
    const { location } = JSON.parse((await post(url)).text) as { location: string };
    for (const tab of tabs) expect((await tab.ended).code).toBe(4001);
    expect(browser.cookiesFor(url)).not.toContain(SESSION);
    expect(location).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/session\/end\?id_token_hint=eyJ/);
    const { json } = await httpRequest(gateway.port, '/auth/session', { headers: { cookie } });
    expect(json()).toEqual({ offered: true, signed_in: false });
  });

  it('[I-17] signs out while the provider is down, on a page that says that it was not signed out there', async () => {
    const { browser } = await signIn('ada');
    provider.isDown = true;
    clock.aheadMs = 6_000;
    const answer = await browser.visit(`${url}/auth/logout`, { method: 'POST', headers: { origin: url } });
    const { location } = JSON.parse(answer.text) as { location: string };
    expect(location).toBe(`${url}/auth/signed-out`);
    expect(browser.cookiesFor(url)).not.toContain(SESSION);
    const page = await browser.visit(location);
    expect([page.status, page.text]).toEqual([
      200,
      expect.stringContaining('The identity provider cannot be reached now'),
    ]);
  });

  it('[I-17] ends with the session at the provider, which the audit trail has; forged calls end nothing', async () => {
    const { browser } = await signIn('ada');
    const client = await connect(browser);
    await client.next('connected');
    const token = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.';
    const report = async (body: string) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return (await new TestBrowser().visit(`${url}/auth/backchannel-logout`, { method: 'POST', body, headers }))
        .status;
    };
    for (const body of ['', 'logout_token=x', `logout_token=${token}`]) expect(await report(body)).toBe(400);
    expect(await report('x'.repeat(70_000))).toBe(413);
    expect(client.socket.readyState).toBe(1);
    const confirm = await browser.visit(`${provider.issuer}/session/end`);
    await browser.submit(confirm, { logout: 'yes' });
    expect((await client.ended).code).toBe(4001);
    const rows = await gateway.app.get(AuditStore, { strict: false }).listAudit({ order: 'newest', limit: 50 });
    expect(rows.find(({ action }) => action === 'auth.sign_out')).toMatchObject({
      actor: 'identity provider',
      target: 'ada',
    });
    expect(rows.find(({ action }) => action === 'auth.sign_in')).toMatchObject({ actor: 'ada', target: '127.0.0.1' });
  });

  it('[I-01] [I-04] takes tokens of the real provider: after a rotation, not by an older key, not with a clock off by minutes', async () => {
    const tokenOf = async () => {
      const { browser } = await signIn('root');
      const location = JSON.parse(
        (await browser.visit(`${url}/auth/logout`, { method: 'POST', headers: { origin: url } })).text,
      ) as { location: string };
      return new URL(location.location).searchParams.get('id_token_hint')!;
    };
    const ask = async (token: string) =>
      (await httpRequest(gateway.port, '/admin/v1/config', { headers: { authorization: `Bearer ${token}` } })).status;
    const first = await tokenOf();
    expect(await ask(first)).toBe(200);
    const [header, payload] = first.split('.') as [string, string];
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    for (const forged of [`${none}.${payload}.`, `${header}.${payload}.AAAA`]) expect(await ask(forged)).toBe(401);
    await provider.rotate();
    clock.aheadMs = 6_000;
    const second = await tokenOf();
    clock.aheadMs = 12_000;
    expect(await ask(second)).toBe(200);
    clock.aheadMs = 18_000;
    expect(await ask(first)).toBe(401);
    const third = await tokenOf();
    clock.errorMs = -300_000;
    expect(await ask(third)).toBe(401);
    expect((await signIn('ada')).visit.text).toContain('s ahead: this clock or that of the issuer is wrong');
  });
});
