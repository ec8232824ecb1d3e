import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { HOST, StandInTailscale } from '../support/stand-in-tailscale.js';

interface Entry {
  readonly Web?: Readonly<Record<string, { readonly Handlers: Readonly<Record<string, { readonly Proxy: string }>> }>>;
  readonly Foreground?: Readonly<Record<string, Entry>>;
}

let tailscale: StandInTailscale;
let folder: string;
const running: GatewayProcess[] = [];
beforeEach(() => {
  tailscale = new StandInTailscale();
  folder = mkdtempSync(join(tmpdir(), 'tailscale-gateway-'));
});
afterEach(async () => {
  for (const gateway of running.splice(0)) await gateway.end();
  tailscale.remove();
  rmSync(folder, { recursive: true });
});

const TOKEN = { OPENCLAW_AUTH_TOKEN: 'operator-token-0123456789' };

function start(env: Readonly<Record<string, string>> = TOKEN): GatewayProcess {
  const gateway = new GatewayProcess({
    folder,
    env: {
      OPENCLAW_GATEWAY_EXPOSE_VIA_TAILSCALE: 'true',
      OPENCLAW_GATEWAY_TAILSCALE_BIN: tailscale.program,
      ...env,
    },
  });
  running.push(gateway);
  return gateway;
}

const stop = async (gateway: GatewayProcess) => {
  gateway.kill('SIGTERM');
  await gateway.exited;
};
const served = () => tailscale.state.serve as Entry | undefined;
const rootOf = (entry: Entry | undefined, port = 443) => entry?.Web?.[`${HOST}:${port}`]?.Handlers['/']?.Proxy;
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it('[H-03] a killed gateway leaves its entry, which the next start takes over and its stop removes', async () => {
  const first = start();
  await eventually(() => expect(first.output).toContain(`Within the tailnet: https://${HOST} `));
  first.kill('SIGKILL');
  await first.exited;
  expect(rootOf(served())).toBe(`http://127.0.0.1:${await first.port}`);

  const second = start({ ...TOKEN, OPENCLAW_GATEWAY_TAILSCALE_PORT: '8443' });
  await eventually(() => expect(second.output).toContain(`Within the tailnet: https://${HOST}:8443 `));
  expect([rootOf(served()), rootOf(served(), 8_443)]).toEqual([undefined, `http://127.0.0.1:${await second.port}`]);
  await stop(second);
  expect(rootOf(served(), 8_443)).toBeUndefined();
});

it('[H-03] a gateway that is killed during any call of its start and its stop never loses sight of its own', async () => {
  tailscale.change({ slowMs: 150 });
  // At the start it looks at the machine and at the entries, sets its own, and looks again; at the stop as well, when it removes it.
  for (const [atStart, atStop] of [[1], [2], [3], [4], [4, 1], [4, 2], [4, 3], [4, 4]]) {
    const gateway = start();
    const before = tailscale.calls.length;
    await eventually(() => expect(tailscale.calls.length).toBeGreaterThanOrEqual(before + atStart!));
    if (atStop !== undefined) {
      await eventually(() => expect(gateway.output).toContain('Within the tailnet'));
      const up = tailscale.calls.length;
      gateway.kill('SIGTERM');
      await eventually(() => expect(tailscale.calls.length).toBeGreaterThanOrEqual(up + atStop));
    }
    gateway.kill('SIGKILL');
    await gateway.exited;
  }
  const last = start();
  await eventually(() => expect(last.output).toContain('Within the tailnet'));
  expect(rootOf(served())).toBe(`http://127.0.0.1:${await last.port}`);
  await stop(last);
  expect(rootOf(served())).toBeUndefined();
});

it('[H-05] the funnel of a killed gateway ends, and the next start has one', async () => {
  const env = { ...TOKEN, OPENCLAW_GATEWAY_TAILSCALE_MODE: 'funnel' };
  const first = start(env);
  await eventually(() => expect(first.output).toContain(`On the internet: https://${HOST}`));
  const [holder = ''] = Object.keys(served()?.Foreground ?? {});
  expect(isAlive(Number(holder))).toBe(true);
  first.kill('SIGKILL');
  const second = start(env);
  await eventually(() => expect(isAlive(Number(holder))).toBe(false));
  await eventually(() => expect(second.output).toContain(`On the internet: https://${HOST}`));
  await stop(second);
  for (const pid of Object.keys(served()?.Foreground ?? {})) expect(isAlive(Number(pid))).toBe(false);
});

it('[H-07] a funnel without a credential is not started', async () => {
  const gateway = start({ OPENCLAW_GATEWAY_TAILSCALE_MODE: 'funnel' });
  expect((await gateway.exited).code).toBe(1);
  expect(gateway.output).toContain('funnel opens the gateway to the internet, and no credential is configured');
  expect(tailscale.calls).toEqual([]);
});
