import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/cli.js';
import { TailscaleService } from '../../src/tailscale/tailscale.service.js';
import { FakeTerminal, ManualClock } from '../../src/testing/index.js';
import { GatewayApp, TOKENS, withTokens, type GatewayAppOptions } from '../support/gateway-app.js';
import { httpRequest } from '../support/http-request.js';
import { RecordingLogs } from '../support/recording-logs.js';
import { HOST, served, StandInTailscale, type StandInState } from '../support/stand-in-tailscale.js';

let tailscale: StandInTailscale;
let gateways: GatewayApp[];
beforeEach(() => {
  tailscale = new StandInTailscale();
  gateways = [];
});
afterEach(async () => {
  for (const gateway of gateways) await gateway.close();
  tailscale.remove();
});

/** Starts a gateway with settings as from its command line, which no change at run time overrides. */
async function start({ settings, ...options }: GatewayAppOptions = {}): Promise<GatewayApp> {
  const gateway = await GatewayApp.start({
    settings: {
      ...withTokens,
      'gateway.expose_via_tailscale': true,
      'gateway.tailscale_bin': tailscale.program,
      ...settings,
    },
    ...options,
  });
  gateways.push(gateway);
  return gateway;
}

const stateOf = (gateway: GatewayApp) => gateway.app.get(TailscaleService, { strict: false }).whenLooked;
const look = (gateway: GatewayApp) => gateway.app.get(TailscaleService, { strict: false }).look();
const stop = (gateway: GatewayApp) => {
  gateways.splice(gateways.indexOf(gateway), 1);
  return gateway.close();
};
const health = async (gateway: GatewayApp) => {
  const response = await fetch(`${gateway.url}/health`, { headers: { authorization: `Bearer ${TOKENS.owner}` } });
  return (await response.json()) as { status: string; reasons?: string[] };
};

describe('a gateway that is exposed', () => {
  it('[H-01] serves itself after it listens, and takes itself away when it stops', async () => {
    const gateway = await start();
    expect(await stateOf(gateway)).toMatchObject({ kind: 'up', url: `https://${HOST}` });
    expect(tailscale.changes).toEqual([`serve --bg --yes --https=443 --set-path=/ http://127.0.0.1:${gateway.port}`]);
    expect(await health(gateway)).toMatchObject({ status: 'healthy' });

    await stop(gateway);
    expect(tailscale.changes.at(-1)).toBe('serve --https=443 --set-path=/ off');
    expect(tailscale.state.serve).toEqual({ TCP: {}, Web: {} });
  });

  it('[H-01] allows its address as Host and Origin, and no other', async () => {
    const gateway = await start({ settings: { 'gateway.tailscale_port': 8_443 } });
    await stateOf(gateway);
    const ask = (headers: Record<string, string>) =>
      fetch(`${gateway.url}/nodes/pair`, { method: 'POST', headers }).then(({ status }) => status);
    expect(await ask({ origin: `https://${HOST}:8443` })).not.toBe(403);
    expect(await ask({ origin: `https://${HOST}` })).toBe(403);
    expect(await ask({ origin: 'https://gw.tail9999.ts.net' })).toBe(403);
    await stop(gateway);
    expect(tailscale.changes.at(-1)).toBe('serve --https=8443 --set-path=/ off');
  });

  it('[H-01] still allows its address while Tailscale cannot be asked', async () => {
    const gateway = await start();
    await stateOf(gateway);
    tailscale.change({ daemon: 'away' });
    expect((await look(gateway)).kind).toBe('degraded');
    const { status } = await httpRequest(gateway.port, '/health', { headers: { host: HOST } });
    const foreign = await httpRequest(gateway.port, '/health', { headers: { host: 'gw.tail9999.ts.net' } });
    expect([status, foreign.status]).toEqual([200, 421]);
    tailscale.change({ daemon: undefined });
  });

  it('[H-02] leaves the paths of others alone', async () => {
    tailscale.change({ serve: { ...served('http://127.0.0.1:3000', { port: 8_443 }), Services: { 'svc:db': {} } } });
    const gateway = await start();
    expect((await stateOf(gateway)).kind).toBe('up');
    await stop(gateway);
    expect(tailscale.state.serve).toMatchObject({
      ...served('http://127.0.0.1:3000', { port: 8_443 }),
      Services: { 'svc:db': {} },
    });
  });

  it('[H-02] names the `/` of another program, leaves it unchanged, and works on this machine', async () => {
    const foreign = served('http://127.0.0.1:3000');
    tailscale.change({ serve: foreign });
    const logs = new RecordingLogs();
    const gateway = await start({ logs });
    expect(await stateOf(gateway)).toMatchObject({ kind: 'degraded' });
    expect(await health(gateway)).toMatchObject({
      status: 'degraded',
      reasons: [expect.stringContaining('http://127.0.0.1:3000, which is not this gateway')],
    });
    await look(gateway);
    expect(logs.entries.filter(({ message }) => message.startsWith('not reachable'))).toHaveLength(1);
    await stop(gateway);
    expect(tailscale.changes).toEqual([]);
    expect(tailscale.state.serve).toEqual(foreign);
  });

  it.each<[string, Partial<StandInState>, string]>([
    ['is logged out', { status: { BackendState: 'NeedsLogin' } }, 'sudo tailscale up'],
    ['does not run', { daemon: 'away' }, 'tailscaled does not respond'],
    ['waits for an admin', { status: { BackendState: 'NeedsMachineAuth' } }, 'must approve this machine'],
    ['may not be changed', { denied: true }, 'sudo tailscale set --operator='],
    ['finds its port taken', { occupied: true }, 'listens on port 443'],
    ['needs consent', { consent: 'https://login.tailscale.com/f/serve?node=n1' }, '/f/serve?node=n1'],
    ['changes nothing', { isWithoutEffect: true }, 'does not show it'],
    ['is too old', { serveText: 'serve is not known' }, 'gave no object'],
  ])(
    '[H-04] is degraded with what to do when Tailscale %s, and finds out when that is over',
    async (_, state, says) => {
      tailscale.change(state);
      const gateway = await start();
      expect(await stateOf(gateway)).toMatchObject({
        kind: 'degraded',
        problem: expect.stringContaining(says) as string,
      });
      expect((await health(gateway)).reasons?.[0]).toContain(says);

      const repaired = new StandInTailscale();
      tailscale.change({
        ...repaired.state,
        ...Object.fromEntries(Object.keys(state).map((key) => [key, undefined])),
        status: repaired.state.status,
      });
      repaired.remove();
      expect(await look(gateway)).toMatchObject({ kind: 'up' });
      expect((await health(gateway)).status).toBe('healthy');
    },
  );

  it('[H-04] says what to install when there is no such program', async () => {
    const gateway = await start({ settings: { 'gateway.tailscale_bin': '/nonexistent/tailscale' } });
    expect(await stateOf(gateway)).toMatchObject({
      kind: 'degraded',
      problem: 'not reachable through Tailscale: gateway.tailscale_bin: /nonexistent/tailscale is not a program',
    });
  });

  it('[H-04] is made again when others write at the same time', async () => {
    tailscale.change({ conflicts: 2 });
    const gateway = await start();
    expect((await stateOf(gateway)).kind).toBe('up');
    expect(tailscale.changes).toHaveLength(3);
  });

  it('[H-04] gives up after three repeats, until the next look', async () => {
    tailscale.change({ conflicts: 4 });
    const gateway = await start();
    expect(await stateOf(gateway)).toMatchObject({
      kind: 'degraded',
      problem: 'not reachable through Tailscale: other programs keep changing the configuration of Tailscale',
    });
    expect(tailscale.changes).toHaveLength(4);
    expect((await look(gateway)).kind).toBe('up');
  });

  it('[H-06] notices that its port was opened to the internet by hand', async () => {
    const gateway = await start();
    await stateOf(gateway);
    const target = `http://127.0.0.1:${gateway.port}`;
    tailscale.change({ serve: served(target, { isPublic: true }) });
    expect(await look(gateway)).toMatchObject({
      kind: 'degraded',
      problem: expect.stringContaining('is open to the internet by a funnel that this gateway has not set') as string,
    });
    expect(tailscale.changes).toHaveLength(1);
  });

  it('[H-03] forgets what it set under another name of the machine, which nothing can remove', async () => {
    const gateway = await start();
    await stateOf(gateway);
    const target = `http://127.0.0.1:${gateway.port}`;
    const left = served(target, { host: 'old.tail1234.ts.net' });
    tailscale.change({ serve: left });
    const { TailscaleStore } = await import('../../src/core/store/index.js');
    const store = gateway.app.get(TailscaleStore, { strict: false });
    await store.keepTailscaleEntry({ host: 'old.tail1234.ts.net', port: 443, target, mode: 'serve' });
    expect((await look(gateway)).kind).toBe('up');
    expect((await store.listTailscaleEntries()).map(({ host }) => host)).toEqual([HOST]);
    await stop(gateway);
    // Its own is gone, beside that of the other name.
    expect(Object.keys((tailscale.state.serve as { Web: object }).Web)).toEqual(['old.tail1234.ts.net:443']);
  });

  it('[H-04] waits while Tailscale starts, and looks each minute', async () => {
    tailscale.change({ status: { BackendState: 'Starting', Self: null } });
    const clock = new ManualClock();
    const gateway = await start({ clock });
    const first = stateOf(gateway);
    const service = gateway.app.get(TailscaleService, { strict: false });
    await expect.poll(() => tailscale.calls.length).toBe(1);
    expect(service.state.kind).toBe('starting');
    expect((await health(gateway)).status).toBe('healthy');
    tailscale.change({ status: { BackendState: 'Running', Self: { DNSName: `${HOST}.`, Online: true } } });
    await expect
      .poll(async () => {
        clock.advance(1_000);
        return service.state.kind;
      })
      .toBe('up');
    await first;

    // A person removes it by hand.
    tailscale.change({ serve: null });
    clock.advance(60_000);
    await expect.poll(() => Object.keys(tailscale.state.serve ?? {})).toContain('Web');
  });

  it('[H-03] takes over what an earlier run has left, also at another port', async () => {
    const url = `sqlite:${tailscale.folder}/gateway.db`;
    const first = await start({ settings: { 'store.url': url } });
    await stateOf(first);
    const left = tailscale.state.serve as object;
    await stop(first);
    // What a killed gateway leaves: its entry, and the row that says so.
    tailscale.change({ serve: left });
    const store = await start({ settings: { 'store.url': url, 'gateway.expose_via_tailscale': false } });
    const target = `http://127.0.0.1:${first.port}`;
    const { TailscaleStore } = await import('../../src/core/store/index.js');
    await store.app
      .get(TailscaleStore, { strict: false })
      .keepTailscaleEntry({ host: HOST, port: 443, target, mode: 'serve' });
    await stop(store);
    expect(tailscale.changes.at(-1)).toBe('serve --https=443 --set-path=/ off');

    tailscale.change({ serve: left });
    const again = await start({ settings: { 'store.url': url } });
    await again.app
      .get(TailscaleStore, { strict: false })
      .keepTailscaleEntry({ host: HOST, port: 8_443, target, mode: 'serve' });
    tailscale.change({ serve: served(target, { port: 8_443 }) });
    await look(again);
    expect(tailscale.changes).toContain('serve --https=8443 --set-path=/ off');
    expect(tailscale.state.serve).toMatchObject(served(`http://127.0.0.1:${again.port}`));
  });
});

describe('a funnel', () => {
  it('[H-05] is held by a program that ends with the gateway', async () => {
    const gateway = await start({ settings: { 'gateway.tailscale_mode': 'funnel' } });
    expect(await stateOf(gateway)).toMatchObject({ kind: 'up', url: `https://${HOST}` });
    expect(tailscale.changes).toEqual([`funnel --yes --https=443 --set-path=/ http://127.0.0.1:${gateway.port}`]);
    const [pid] = Object.keys((tailscale.state.serve as { Foreground: object }).Foreground);
    await stop(gateway);
    expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH');
  });

  it('[H-05] that ends by itself is degraded, and held again at the next look', async () => {
    const gateway = await start({ settings: { 'gateway.tailscale_mode': 'funnel' } });
    expect((await stateOf(gateway)).kind).toBe('up');
    const [pid] = Object.keys((tailscale.state.serve as { Foreground: object }).Foreground);
    process.kill(Number(pid));
    const service = gateway.app.get(TailscaleService, { strict: false });
    await expect.poll(() => service.state.kind).toBe('degraded');
    expect((await look(gateway)).kind).toBe('up');
  });

  it('[H-06] is refused where it would open the path of another program', async () => {
    const serve = served('http://127.0.0.1:3000', { others: { '/grafana': { Proxy: 'http://127.0.0.1:3000' } } });
    tailscale.change({ serve });
    const gateway = await start({ settings: { 'gateway.tailscale_mode': 'funnel' } });
    expect((await stateOf(gateway)).kind).toBe('degraded');
    expect(tailscale.changes).toEqual([]);
  });

  it('[H-07] without a credential refuses to start, and to be switched on', async () => {
    const open = { 'auth.tokens': [] };
    await expect(start({ settings: { ...open, 'gateway.tailscale_mode': 'funnel' } })).rejects.toThrow(
      /gateway\.tailscale_mode: funnel opens the gateway to the internet, and no credential is configured/,
    );
    const gateway = await start({ settings: open });
    const response = await fetch(`${gateway.url}/admin/v1/tailscale`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${gateway.localToken}`, 'content-type': 'application/json' },
      body: '{"mode":"funnel"}',
    });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('no credential')]);
  });
});

describe('openclaw serve and openclaw funnel', () => {
  const CHANGEABLE = { 'gateway.expose_via_tailscale': undefined };

  async function command(gateway: GatewayApp, ...args: string[]) {
    const env = { OPENCLAW_URL: gateway.url, OPENCLAW_TOKEN: TOKENS.owner };
    const terminal = Object.assign(new FakeTerminal(env), { fetch });
    const code = await run(args, terminal);
    return { code, out: terminal.stdout.text, err: terminal.stderr.text };
  }

  it('[H-08] change a running gateway, which records that', async () => {
    const gateway = await start({ settings: CHANGEABLE });
    expect(await command(gateway, 'serve', '--status')).toEqual({ code: 0, out: 'off\n', err: '' });
    expect(await command(gateway, 'serve')).toEqual({
      code: 0,
      out: `https://${HOST} (within the tailnet)\n`,
      err: '',
    });
    expect(await command(gateway, 'funnel', '--off')).toMatchObject({
      code: 1,
      err: expect.stringContaining('`openclaw serve --off` ends that') as string,
    });
    expect(await command(gateway, 'funnel')).toMatchObject({ code: 0, out: `https://${HOST} (on the internet)\n` });
    expect(tailscale.changes.slice(1)).toEqual([
      'serve --https=443 --set-path=/ off',
      `funnel --yes --https=443 --set-path=/ http://127.0.0.1:${gateway.port}`,
    ]);
    expect(JSON.parse((await command(gateway, 'funnel', '--status', '--json')).out)).toMatchObject({
      expose: true,
      mode: 'funnel',
      state: 'up',
      url: `https://${HOST}`,
    });
    expect(await command(gateway, 'funnel', '--off')).toMatchObject({ code: 0, out: 'off\n' });
    const { AuditStore } = await import('../../src/core/store/index.js');
    const rows = await gateway.app
      .get(AuditStore, { strict: false })
      .listAudit({ action: 'settings.change', order: 'oldest', limit: 10 });
    expect(rows.map(({ actor, after }) => [actor, after])).toEqual([
      ['owner', '{"gateway.expose_via_tailscale":true,"gateway.tailscale_mode":"serve"}'],
      ['owner', '{"gateway.expose_via_tailscale":true,"gateway.tailscale_mode":"funnel"}'],
      ['owner', '{"gateway.expose_via_tailscale":false}'],
    ]);
  });

  it('[H-08] are for operators of all tenants, since the machine is that of all tenants', async () => {
    const gateway = await start();
    for (const method of ['GET', 'PATCH']) {
      const headers = { authorization: `Bearer ${TOKENS.stranger}`, 'content-type': 'application/json' };
      const init = { method, headers, ...(method === 'PATCH' && { body: '{"expose":false}' }) };
      expect((await fetch(`${gateway.url}/admin/v1/tailscale`, init)).status).toBe(403);
    }
  });

  it('[H-08] try once with its repeats, and look again when asked again', async () => {
    const gateway = await start({ settings: CHANGEABLE });
    tailscale.change({ conflicts: 4 });
    expect(await command(gateway, 'serve')).toMatchObject({
      code: 1,
      err: expect.stringContaining('other programs keep changing the configuration of Tailscale') as string,
    });
    expect(tailscale.changes).toHaveLength(4);
    expect(await command(gateway, 'serve')).toMatchObject({ code: 0 });
    expect(tailscale.changes).toHaveLength(5);
  });

  it('[H-08] say why it is not reachable', async () => {
    tailscale.change({ status: { BackendState: 'Stopped' } });
    const gateway = await start({ settings: CHANGEABLE });
    expect(await command(gateway, 'serve')).toEqual({
      code: 1,
      out: '',
      err: 'degraded: not reachable through Tailscale: Tailscale is stopped: run `sudo tailscale up`\n',
    });
  });

  it('[H-08] say when the gateway could not be taken away, and find out when it is', async () => {
    const gateway = await start({ settings: CHANGEABLE });
    await command(gateway, 'serve');
    tailscale.change({ denied: true });
    expect(await command(gateway, 'serve', '--off')).toMatchObject({
      code: 1,
      err: expect.stringContaining('still reachable through Tailscale: port 443 of Tailscale still leads to') as string,
    });
    expect((await health(gateway)).status).toBe('degraded');
    tailscale.change({ denied: false });
    expect((await look(gateway)).kind).toBe('off');
    expect(await health(gateway)).toMatchObject({ status: 'healthy' });
  });

  it('[H-08] need the scope for what widens reach', async () => {
    const gateway = await start({
      settings: {
        'gateway.expose_via_tailscale': false,
        'auth.tokens': [
          {
            token: TOKENS.owner,
            principal: 'ann',
            role: 'operator',
            scopes: ['admin:read', 'admin:write', 'config:write'],
          },
        ],
      },
    });
    const { code, err } = await command(gateway, 'serve');
    expect([code, err]).toEqual([1, expect.stringContaining('config:dangerous')]);
    expect(tailscale.changes).toEqual([]);
  });
});
