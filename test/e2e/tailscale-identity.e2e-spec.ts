import { chmodSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { MAX_FAILURES_PER_MINUTE } from '../../src/auth/auth-failures.js';
import { PrincipalDirectory } from '../../src/core/identity/principal-directory.js';
import { AuditStore } from '../../src/core/store/index.js';
import { TailscaleService } from '../../src/tailscale/tailscale.service.js';
import { ManualClock } from '../../src/testing/index.js';
import { GatewayApp, TOKENS, withTokens, type GatewayAppOptions } from '../support/gateway-app.js';
import { httpRequest } from '../support/http-request.js';
import { RecordingLogs } from '../support/recording-logs.js';
import { HOST, served, StandInTailscale } from '../support/stand-in-tailscale.js';

const BOSS = 'boss@example.com';
const USERS = {
  [BOSS]: 'operator',
  'reader@example.com': { role: 'operator', scopes: ['admin:read'] },
  'jürgen@example.com': 'operator',
  '*@example.com': 'user',
};
const person = (LoginName: string, Tags?: string[]) => ({
  Node: { Name: `a.${HOST}.`, Tags },
  UserProfile: { LoginName },
});
const WHOIS = {
  '100.64.0.7': person(BOSS),
  '100.64.0.8': person('ann@example.com'),
  '100.64.0.9': person('eve@elsewhere.org'),
  '100.64.0.10': person('tagged-devices', ['tag:ci']),
  '100.64.0.11': { Node: {}, UserProfile: null },
  '100.64.0.12': person('jürgen@example.com'),
  '100.64.0.13': person('reader@example.com'),
  '100.64.0.14': person(BOSS, ['tag:ci']),
  'fd7a:115c:a1e0::7': person(BOSS),
};

let tailscale: StandInTailscale;
let folder: string;
let path: string;
let gateway: GatewayApp | undefined;
beforeEach(() => {
  tailscale = new StandInTailscale({ whois: WHOIS });
  folder = mkdtempSync(join(tmpdir(), 'listen-'));
  path = join(folder, 'tailscale.sock');
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
  tailscale.remove();
  rmSync(folder, { recursive: true });
});

async function start({ settings, ...options }: GatewayAppOptions = {}) {
  gateway = await GatewayApp.start({
    settings: {
      ...withTokens,
      'gateway.expose_via_tailscale': true,
      'gateway.tailscale_bin': tailscale.program,
      'gateway.tailscale_listen': path,
      'auth.tailscale': true,
      'auth.tailscale_users': USERS,
      ...settings,
    },
    ...options,
  });
  return { gateway, state: await gateway.app.get(TailscaleService, { strict: false }).whenLooked };
}

const look = () => gateway!.app.get(TailscaleService, { strict: false }).look();
const whoisCalls = () => tailscale.calls.filter((call) => call.startsWith('whois'));

/** The headers that Tailscale Serve sends. */
const serve = (login: string | undefined, address: string, more: Record<string, string> = {}) => ({
  host: 'localhost',
  'x-forwarded-host': HOST,
  'x-forwarded-proto': 'https',
  'x-forwarded-for': address,
  ...(login !== undefined && { 'tailscale-user-login': login }),
  ...more,
});

/** Sends a request over the unix socket. Resolves with its status. */
function ask(headers: Record<string, string | string[]>, at = '/admin/v1/status', method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: path, path: at, method, headers, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('a person of the tailnet', () => {
  it('[H-09] is who Tailscale says, with the rights of the settings, on the socket of Serve alone', async () => {
    const { state } = await start();
    expect(state).toMatchObject({ kind: 'up', entry: { target: `unix:${path}` } });
    expect(tailscale.changes).toEqual([`serve --bg --yes --https=443 --set-path=/ unix:${path}`]);
    expect(statSync(path).mode & 0o777).toBe(0o600);

    expect(await ask(serve(BOSS, '100.64.0.7'))).toBe(200);
    expect(await ask(serve(BOSS, 'fd7a:115c:a1e0::7'))).toBe(200);
    expect(await ask(serve('reader@example.com', '100.64.0.13'))).toBe(200);
    expect(await ask(serve('ann@example.com', '100.64.0.8'))).toBe(403);
    const rows = await gateway!.app
      .get(AuditStore, { strict: false })
      .listAudit({ action: 'auth.success', order: 'oldest', limit: 10 });
    const credential = JSON.stringify({ credential: 'tailscale' });
    expect(rows.map(({ actor, target, after }) => [actor, target, after])).toEqual([
      [`tailscale:${BOSS}`, '100.64.0.7', credential],
      [`tailscale:${BOSS}`, 'fd7a:115c:a1e0::7', credential],
      ['tailscale:reader@example.com', '100.64.0.13', credential],
      ['tailscale:ann@example.com', '100.64.0.8', credential],
    ]);
  });

  it('[H-09] may have a name that is not ASCII', async () => {
    await start();
    expect(await ask(serve('=?utf-8?q?j=C3=BCrgen=40example.com?=', '100.64.0.12'))).toBe(200);
    expect(await ask(serve('=?utf-8?b?asO8cmdlbkBleGFtcGxlLmNvbQ==?=', '100.64.0.12'))).toBe(200);
    expect(await ask(serve('=?utf-8?q?j=FCrgen=40example.com?=', '100.64.0.12'))).toBe(401);
    expect(await ask(serve('=?utf-8?q?j=C3=BCrgen=40example.com?= x', '100.64.0.12'))).toBe(401);
  });

  it('[H-09] is gone, with what acts for them, once no entry names them', async () => {
    const isGone = (login: string) =>
      gateway!.app.get(PrincipalDirectory, { strict: false }).isGone('default', `tailscale:${login}`);
    await start();
    expect([BOSS, 'ann@example.com', 'eve@elsewhere.org'].map(isGone)).toEqual([false, false, true]);
    await gateway!.close();
    await start({ settings: { 'auth.tailscale': false } });
    expect(isGone(BOSS)).toBe(true);
  });

  it('[H-09] is asked for once a minute', async () => {
    const clock = new ManualClock();
    await start({ clock });
    for (let n = 0; n < 3; n++) expect(await ask(serve(BOSS, '100.64.0.7'))).toBe(200);
    expect(whoisCalls()).toEqual(['whois --json 100.64.0.7']);
    clock.advance(60_001);
    await ask(serve(BOSS, '100.64.0.7'));
    expect(whoisCalls()).toHaveLength(2);
  });

  it('[H-09] chats over a WebSocket from the page of the public address', async () => {
    await start();
    const open = (login: string, address: string, origin: string) => {
      const socket = new WebSocket(`ws+unix:${path}:/?client_id=page`, ['openclaw.v1'], {
        headers: { ...serve(login, address), origin },
      });
      return new Promise<unknown>((resolve) => {
        socket.on('message', (data: Buffer) => {
          resolve(JSON.parse(data.toString()));
          socket.close();
        });
        socket.on('unexpected-response', (_, { statusCode }) => resolve(statusCode));
        socket.on('close', (code) => resolve(code));
        socket.on('error', () => {});
      });
    };
    expect(await open('ann@example.com', '100.64.0.8', `https://${HOST}`)).toMatchObject({ type: 'connected' });
    expect(await open('ann@example.com', '100.64.0.8', 'https://evil.example')).toBe(403);
    expect(await open('eve@elsewhere.org', '100.64.0.9', `https://${HOST}`)).toBe(4001);
  });

  it.each<[string, Record<string, string | string[]>, number]>([
    ['of another tailnet', serve('eve@elsewhere.org', '100.64.0.9'), 1],
    ['with the address of another one', serve(BOSS, '100.64.0.8'), 1],
    ['with an unknown address', serve(BOSS, '100.64.0.99'), 1],
    ['on a tagged machine', serve('tagged-devices', '100.64.0.10'), 1],
    ['on a tagged machine with the profile of a person', serve(BOSS, '100.64.0.14'), 1],
    ['on a machine without a profile', serve(BOSS, '100.64.0.11'), 1],
    ['with an option for an address', serve(BOSS, '--help'), 0],
    ['with two addresses', serve(BOSS, '100.64.0.7, 10.0.0.1'), 0],
    ['with two headers of an address', { ...serve(BOSS, ''), 'x-forwarded-for': ['100.64.0.7', '10.0.0.1'] }, 0],
    ['with an address and a zone', serve(BOSS, 'fe80::1%eth0'), 0],
    ['with a port at the address', serve(BOSS, '100.64.0.7:443'), 0],
    ['of a funnel', serve(BOSS, '100.64.0.7', { 'tailscale-funnel-request': '?1' }), 0],
    ['twice', { ...serve(undefined, '100.64.0.7'), 'tailscale-user-login': [BOSS, BOSS] }, 0],
    ['without a name', serve(undefined, '100.64.0.7'), 0],
  ])('[H-10] is not identified: %s', async (_, headers, calls) => {
    await start();
    expect(await ask(headers)).toBe(401);
    expect(whoisCalls()).toHaveLength(calls);
  });

  it('[H-10] is not identified on the port, whose senders can be any process of this machine', async () => {
    const { gateway: app } = await start();
    const headers = serve(BOSS, '100.64.0.7');
    const { status } = await httpRequest(app.port, '/admin/v1/status', { headers });
    expect([status, whoisCalls()]).toEqual([401, []]);
  });

  it('[H-10] is not identified while Tailscale does not respond, which is not counted as a failure', async () => {
    await start();
    tailscale.change({ daemon: 'away' });
    for (let n = 0; n <= MAX_FAILURES_PER_MINUTE; n++) expect(await ask(serve(BOSS, '100.64.0.7'))).toBe(503);
    tailscale.change({ daemon: undefined });
    expect(await ask(serve(BOSS, '100.64.0.7'))).toBe(200);
  });

  it('[H-10] is not `local` in open mode, and other requests of the tailnet are not identified', async () => {
    await start({ settings: { 'auth.tokens': [], 'auth.tailscale_users': { [BOSS]: 'user' } } });
    expect(await ask(serve(BOSS, '100.64.0.7'))).toBe(403);
    expect(await ask(serve(undefined, '100.64.0.7'))).toBe(401);
    expect(await ask({ host: 'localhost' })).toBe(401);
  });

  it('[H-10] with a credential is who the credential says', async () => {
    await start();
    const authorization = (token: string) => ({ authorization: `Bearer ${token}` });
    expect(await ask(serve('ann@example.com', '100.64.0.8', authorization(TOKENS.operator)))).toBe(200);
    expect(await ask(serve(BOSS, '100.64.0.7', authorization('a-token-of-yesterday')))).toBe(401);
  });
});

describe('the address for which Tailscale forwards', () => {
  const exhaust = async (send: (address: string) => Promise<number>) => {
    for (let n = 0; n < MAX_FAILURES_PER_MINUTE; n++) expect(await send('100.64.0.9')).toBe(401);
    return [await send('100.64.0.9'), await send('100.64.0.8')];
  };

  it('[H-11] counts for limits and audit, so that one guesser locks out no other person', async () => {
    const { gateway: app } = await start();
    expect(await exhaust((address) => ask(serve(undefined, address)))).toEqual([429, 401]);
    const local = await httpRequest(app.port, '/admin/v1/status', { headers: { host: 'localhost' } });
    expect(local.status).toBe(401);
    const [row] = await app.app
      .get(AuditStore, { strict: false })
      .listAudit({ action: 'auth.failure', order: 'oldest', limit: 1 });
    expect(row?.target).toBe('100.64.0.9');
  });

  it('[H-11] counts on the port as well, for a funnel too', async () => {
    const { gateway: app } = await start({ settings: { 'auth.tailscale': false, 'gateway.tailscale_mode': 'funnel' } });
    const send = async (address: string) => {
      const headers = { host: HOST, 'x-forwarded-for': address, 'tailscale-funnel-request': '?1' };
      return (await httpRequest(app.port, '/admin/v1/status', { headers })).status;
    };
    expect(await exhaust(send)).toEqual([429, 401]);
    expect(await send('198.51.100.9')).toBe(401);
    // Without a single address it is the peer.
    expect(await send('100.64.0.9, 10.0.0.1')).toBe(401);
  });

  it('[H-11] does not count while the gateway is not exposed', async () => {
    const { gateway: app } = await start({
      settings: { 'auth.tailscale': false, 'gateway.expose_via_tailscale': false },
    });
    const send = async (address: string) => {
      const headers = { host: 'localhost', 'x-forwarded-for': address };
      return (await httpRequest(app.port, '/admin/v1/status', { headers })).status;
    };
    expect(await exhaust(send)).toEqual([429, 429]);
  });

  it('[H-11] does not count on the port where people come by the socket', async () => {
    const { gateway: app } = await start();
    const send = async (address: string) => {
      const headers = { host: 'localhost', 'x-forwarded-for': address };
      return (await httpRequest(app.port, '/admin/v1/status', { headers })).status;
    };
    expect(await exhaust(send)).toEqual([429, 429]);
  });

  it('[H-11] has its own share of connections, although all come by one socket', async () => {
    await start({ settings: { 'limits.connections_per_address': 1 } });
    const page = new WebSocket(`ws+unix:${path}:/?client_id=page`, ['openclaw.v1'], {
      headers: { ...serve(BOSS, '100.64.0.7'), origin: `https://${HOST}` },
    });
    await once(page, 'open');
    expect(await ask(serve('reader@example.com', '100.64.0.13'))).toBe(200);
    expect(await ask(serve(BOSS, '100.64.0.7'))).toBe(429);
    page.terminate();
  });

  it('[H-11] comes with the name that people use', async () => {
    await start();
    expect(await ask(serve(BOSS, '100.64.0.7', { 'x-forwarded-host': 'evil.example' }))).toBe(421);
    expect(await ask({ ...serve(BOSS, '100.64.0.7'), 'x-forwarded-host': [HOST, HOST] })).toBe(400);
  });
});

describe('the socket for Serve', () => {
  it('[H-12] is not opened where other users get to it', async () => {
    chmodSync(folder, 0o755);
    const { state } = await start();
    expect(state).toMatchObject({
      kind: 'degraded',
      problem: expect.stringContaining(`chmod 700 ${folder}`) as string,
    });
    expect([existsSync(path), tailscale.changes]).toEqual([false, []]);
    chmodSync(folder, 0o700);
    expect((await look()).kind).toBe('up');
  });

  it('[H-12] replaces that of a process that has ended, and no other', async () => {
    const other = createServer().listen(path);
    await once(other, 'listening');
    const { state } = await start();
    expect(state).toMatchObject({
      problem: `not reachable through Tailscale: gateway.tailscale_listen: another process listens at ${path}`,
    });
    other.close();
    expect((await look()).kind).toBe('up');
    await gateway!.close();
    gateway = undefined;
    expect(existsSync(path)).toBe(false);
  });

  it('[H-12] has a path that fits', async () => {
    const long = join(folder, 'a'.repeat(100));
    const { state } = await start({ settings: { 'gateway.tailscale_listen': long } });
    expect(state).toMatchObject({ problem: expect.stringContaining('is longer than') as string });
  });

  it('[H-12] is led to by root, by a command that the gateway names, and stays at the stop', async () => {
    tailscale.change({ needsRoot: true });
    const { gateway: app, state } = await start();
    expect(state).toMatchObject({
      problem: `not reachable through Tailscale: only root may lead Tailscale to a unix socket: run once \`sudo tailscale serve --bg --yes --https=443 --set-path=/ unix:${path}\``,
    });
    tailscale.change({ serve: served(`unix:${path}`) });
    expect((await look()).kind).toBe('up');
    expect(await ask(serve(BOSS, '100.64.0.7'))).toBe(200);
    await app.close();
    gateway = undefined;
    expect(tailscale.changes).toHaveLength(1);
  });
});

describe('auth.tailscale: trust-local', () => {
  it('[H-12] takes people on the port too, and says what that means', async () => {
    const logs = new RecordingLogs();
    const { gateway: app, state } = await start({ logs, settings: { 'auth.tailscale': 'trust-local' } });
    expect(state).toMatchObject({ entry: { target: `http://127.0.0.1:${app.port}` } });
    const headers = { ...serve(BOSS, '100.64.0.7'), host: HOST };
    expect((await httpRequest(app.port, '/admin/v1/status', { headers })).status).toBe(200);
    expect(logs.entries.map(({ message }) => message)).toContain(
      'auth.tailscale is trust-local: every process of this machine can act as every user of the tailnet',
    );
  });

  it('[H-12] takes the name that people use from Host alone, which a page cannot forge', async () => {
    const { gateway: app } = await start({ settings: { 'auth.tailscale': 'trust-local' } });
    const headers = { ...serve(BOSS, '100.64.0.7'), host: 'evil.example' };
    expect((await httpRequest(app.port, '/admin/v1/status', { headers })).status).toBe(421);
  });

  it('[H-12] takes no person from the internet, also without the mark of a funnel', async () => {
    const settings = { 'auth.tailscale': 'trust-local', 'gateway.tailscale_mode': 'funnel' };
    const { gateway: app } = await start({ settings });
    const headers = { ...serve(BOSS, '100.64.0.7'), host: HOST };
    const { status } = await httpRequest(app.port, '/admin/v1/status', { headers });
    expect([status, whoisCalls()]).toEqual([401, []]);
  });
});
