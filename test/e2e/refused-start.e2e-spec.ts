import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/stores/sqlite/file/database.js';
import { expectTime } from '../support/expect-time.js';
import { GatewayProcess } from '../support/gateway-process.js';

/** Time for a process to end after its error message, in milliseconds. */
const PROMPT_MS = 1_000;

let folder: string;
const cleanups: (() => unknown)[] = [];
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'refused-'))));
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  rmSync(folder, { recursive: true });
});

const listFolder = () => (readdirSync(folder, { recursive: true }) as string[]).toSorted((a, b) => (a < b ? -1 : 1));
const inFolder = (name: string) => join(folder, name);

/** A module whose class does something when Nest starts it. */
const writeModule = (body: string) =>
  writeFileSync(
    inFolder('team.mjs'),
    `export class TeamModule { ${body} }\nReflect.defineMetadata('providers', [], TeamModule);\n`,
  );

/** Settings with an MCP server, whose program leaves a mark when it is started. */
const writeConfig = (settings: object = {}) =>
  writeFileSync(
    inFolder('config.yaml'),
    JSON.stringify({
      mcp: { servers: { demo: { command: '/bin/sh', args: ['-c', `: > ${inFolder('started')}; sleep 60`] } } },
      ...settings,
    }),
  );

async function takePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return String((server.address() as AddressInfo).port);
}

function holdStore(): void {
  mkdirSync(inFolder('data'));
  const holder = openDatabase(inFolder('data/gateway.db'));
  cleanups.push(() => holder.close());
}

/** A store of a gateway that ran before, with changes at run time. */
function leaveStore(changes: Readonly<Record<string, unknown>> = {}): void {
  mkdirSync(inFolder('data'));
  const { database, close } = openDatabase(inFolder('data/gateway.db'));
  const insert = database.prepare('INSERT INTO settings (key, value) VALUES (?, ?)');
  for (const [key, value] of Object.entries(changes)) insert.run(key, JSON.stringify(value));
  close();
}

interface Refusal {
  readonly prepare?: () => unknown;
  readonly env?: Readonly<Record<string, string>> | (() => Promise<Record<string, string>>);
  readonly says: RegExp;
  /** True if the reason is found only after the store was opened, which makes its file. */
  readonly opensStore?: true;
}

const REFUSALS: Readonly<Record<string, Refusal>> = {
  'a wrong value': { env: { OPENCLAW_GATEWAY_PORT: '99999' }, says: /gateway\.port/ },
  'an unknown key': { prepare: () => writeConfig({ gatway: {} }), says: /gatway: unknown setting/ },
  'a file that is not YAML': { prepare: () => writeFileSync(inFolder('config.yaml'), 'a: ['), says: /YAML/ },
  'a file that is missing': { env: { OPENCLAW_CONFIG: 'nowhere.yaml' }, says: /there is no file/ },
  'a feature of a later version': { env: { OPENCLAW_AUTH_JWT: '{}' }, says: /auth\.jwt/ },
  'all addresses without a credential': { env: { OPENCLAW_GATEWAY_HOST: '0.0.0.0' }, says: /auth\.token/ },
  'a host that is not an address': { env: { OPENCLAW_GATEWAY_HOST: '*' }, says: /gateway\.host/ },
  'an address in brackets': { env: { OPENCLAW_GATEWAY_HOST: '[::1]' }, says: /without brackets/ },
  'a name without an address': {
    env: { OPENCLAW_GATEWAY_HOST: 'nowhere.invalid', OPENCLAW_AUTH_TOKEN: 'a-token-of-sixteen-chars' },
    says: /nowhere\.invalid has no address/,
  },
  'an address of another machine': {
    env: { OPENCLAW_GATEWAY_HOST: '192.0.2.1', OPENCLAW_AUTH_TOKEN: 'a-token-of-sixteen-chars' },
    says: /cannot listen on 192\.0\.2\.1/,
  },
  'a port that is taken': { env: async () => ({ OPENCLAW_GATEWAY_PORT: await takePort() }), says: /in use/ },
  'a port that is taken, named by a change at run time': {
    prepare: async () => leaveStore({ 'gateway.port': Number(await takePort()) }),
    says: /in use[^]*source: run time, gateway\.port; `openclaw start --unset gateway\.port`/,
  },
  'a change at run time that breaks a rule': {
    prepare: () => leaveStore({ 'gateway.host': '0.0.0.0' }),
    says: /gateway\.host.*auth\.token.*openclaw start --unset gateway\.host/,
  },
  'a store URL of another form': { env: { OPENCLAW_STORE_URL: 'sqlite:x?mode=rwc' }, says: /no parameters/ },
  'a store where there is no disk': {
    env: { OPENCLAW_STORE_URL: 'sqlite:/proc/x/y.db' },
    says: /store\.url: must not be below \/proc/,
  },
  'a store in use': { prepare: holdStore, says: /in use by the process/ },
  'a store in use under another name': {
    prepare() {
      holdStore();
      symlinkSync(inFolder('data/gateway.db'), inFolder('link.db'));
    },
    env: { OPENCLAW_STORE_URL: 'sqlite:link.db' },
    says: /in use by the process/,
  },
  'a store with two names': {
    prepare() {
      leaveStore();
      linkSync(inFolder('data/gateway.db'), inFolder('other.db'));
    },
    env: { OPENCLAW_STORE_URL: 'sqlite:other.db' },
    says: /hard links/,
  },
  'a store that is not a database': {
    prepare: () => writeFileSync(inFolder('broken.db'), 'not a database, but worth keeping'),
    env: { OPENCLAW_STORE_URL: 'sqlite:broken.db' },
    says: /is damaged/,
  },
  'a store of a newer gateway': {
    prepare() {
      leaveStore();
      const database = new DatabaseSync(inFolder('data/gateway.db'));
      database.exec(
        'PRAGMA user_version = 999; CREATE TABLE contractions (version); INSERT INTO contractions VALUES (999)',
      );
      database.close();
    },
    says: /999/,
  },
  'a module that is missing': { env: { OPENCLAW_MODULES: '["./nowhere.mjs"]' }, says: /nowhere\.mjs/ },
  'a module without a class': {
    prepare: () => writeFileSync(inFolder('team.mjs'), 'export const nothing = 1;'),
    env: { OPENCLAW_MODULES: '["./team.mjs"]' },
    says: /exports no class/,
  },
  'a module that throws when it is made': {
    prepare: () => writeModule("constructor() { throw new Error('no luck today'); }"),
    env: { OPENCLAW_MODULES: '["./team.mjs"]' },
    says: /no luck today/,
  },
  'a module that throws at the start': {
    prepare: () =>
      writeModule("onApplicationBootstrap() { setInterval(() => {}, 1000); throw new Error('no luck today'); }"),
    env: { OPENCLAW_MODULES: '["./team.mjs"]' },
    says: /no luck today/,
    opensStore: true,
  },
};

describe('a start that hangs', () => {
  it('[P-21] ends at a signal, even if its stop hangs too', async () => {
    writeConfig();
    writeModule(`
      onModuleInit() { console.log('hanging'); setInterval(() => {}, 1000); return new Promise(() => {}); }
      beforeApplicationShutdown() { return new Promise(() => {}); }`);
    const gateway = new GatewayProcess({ folder, env: { OPENCLAW_MODULES: '["./team.mjs"]' } });
    cleanups.push(() => gateway.end());
    await new Promise<void>((resolve) => gateway.onOutput((output) => output.includes('hanging') && resolve()));
    gateway.kill('SIGTERM');
    expect(await gateway.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });
});

describe('a start that is refused', () => {
  it.each(Object.entries(REFUSALS))(
    '[P-21] because of %s says why, starts nothing, leaves nothing behind and ends at once',
    async (_name, { prepare, env = {}, says, opensStore }) => {
      writeConfig();
      await prepare?.();
      const variables = { ...(typeof env === 'function' ? await env() : env) };
      const before = listFolder();
      const gateway = new GatewayProcess({ folder, env: variables });
      cleanups.push(() => gateway.end());
      let saidAt = 0;
      gateway.onOutput((output) => {
        if (saidAt === 0 && says.test(output)) saidAt = performance.now();
      });
      expect(await gateway.exited).toEqual({ code: 1, signal: null });
      expect(gateway.output).toMatch(says);
      expect(gateway.output).not.toContain('ready at');
      expectTime(performance.now() - saidAt, PROMPT_MS);
      const after = listFolder();
      if (opensStore) expect(after).toContain('data/gateway.db');
      else expect(after).toEqual(before);
    },
  );
});
