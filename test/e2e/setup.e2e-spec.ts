import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../src/cli/cli.js';
import { listCandidates } from '../../src/cli/setup/choice.js';
import * as parts from '../../src/setup-parts.js';
import { FakeTerminal } from '../../src/testing/fake-terminal.js';
import { ListingServer } from '../support/listing-server.js';

let server: ListingServer;
let folder: string;
let config: string;

beforeEach(async () => {
  server = await ListingServer.start([{ id: 'small' }, { id: 'big' }], 'Hello to you.');
  folder = mkdtempSync(join(tmpdir(), 'setup-'));
  config = join(folder, 'config.yaml');
});
afterEach(() => {
  server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the setup; `answers` are typed one per line. */
async function setup(args: readonly string[], answers: readonly string[] = [], env: Record<string, string> = {}) {
  const terminal = new FakeTerminal({ NODE_ENV: 'production', ...env });
  terminal.stdin.end(answers.map((answer) => `${answer}\n`).join(''));
  const code = await run(['setup', '--config', config, ...args], terminal);
  return { code, out: terminal.stdout.text, err: terminal.stderr.text };
}

const read = (path = config) => readFileSync(path, 'utf8');
const OTHER = 'another server, by its address';

describe('openclaw setup', () => {
  it('[R-23] asks for provider and model, asks one question, writes the settings and ends with the command', async () => {
    const { code, out, err } = await setup([], [OTHER, server.url, 'mine', 'sk-secret', 'big', 'n']);
    expect(err).toContain('> Say hello in one short sentence.\nHello to you.\n(first token after ');
    expect(code).toBe(0);
    expect(parts.loadSettings({ OPENCLAW_CONFIG: config }, {}, folder).values['agent.model']).toBe('mine/big');
    expect(read()).toMatch(/^agent:\n {2}model: mine\/big\nproviders:\n {2}mine:\n {4}api: openai-completions\n/m);
    expect(out).toBe(`MINE_API_KEY_FILE=${join(folder, 'secrets/mine-api-key')} openclaw start --config ${config}\n`);
    expect(server.asked[0]?.authorization).toBe('Bearer sk-secret');
  });

  it('[R-23] keeps secrets out of the settings and of what it prints, in files for their owner only', async () => {
    const { out, err } = await setup([], [OTHER, server.url, 'mine', 'sk-secret', 'big', 'y']);
    expect(`${read()}${out}${err}`).not.toContain('sk-secret');
    expect(read()).toContain('host: 0.0.0.0');
    for (const name of ['mine-api-key', 'operator-token'])
      expect(statSync(join(folder, 'secrets', name)).mode & 0o777).toBe(0o600);
    expect(read(join(folder, 'secrets/mine-api-key'))).toBe('sk-secret\n');
    const token = read(join(folder, 'secrets/operator-token')).trim();
    expect(token.length).toBeGreaterThanOrEqual(32);
    expect(`${out}${err}`).not.toContain(token);
    expect(out).toContain('OPENCLAW_AUTH_TOKEN_FILE=');
  });

  it('[R-23] starts a gateway with exactly what it wrote', async () => {
    await setup([], [OTHER, server.url, 'mine', 'sk-secret', 'big', 'y']);
    const secrets = join(folder, 'secrets');
    const { values } = parts.loadSettings(
      {
        NODE_ENV: 'production',
        OPENCLAW_CONFIG: config,
        MINE_API_KEY_FILE: join(secrets, 'mine-api-key'),
        OPENCLAW_AUTH_TOKEN_FILE: join(secrets, 'operator-token'),
      },
      {},
      folder,
    );
    expect(values.providers['mine']).toMatchObject({ base_url: server.url, api_key: 'sk-secret' });
    expect(values['auth.token']).toBe(read(join(secrets, 'operator-token')).trim());
  });

  it('[R-23] shows the changes of an existing file first, keeps its comments, and writes nothing without consent', async () => {
    const before = '# ours\nagent:\n  name: ada # short\nqueue:\n  max_total: 500\n';
    writeFileSync(config, before, { mode: 0o640 });
    const answers = [OTHER, server.url, 'mine', '', 'small', 'n'];
    const refused = await setup([], [...answers, 'n']);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(read()).toBe(before);
    const { code, err } = await setup([], [...answers, 'y']);
    expect(code).toBe(0);
    expect(err).toContain('  agent:\n    name: ada # short\n+   model: mine/small\n');
    expect(read()).toContain('# ours\nagent:\n  name: ada # short\n  model: mine/small\nqueue:\n  max_total: 500\n');
    expect(statSync(config).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder)).toEqual(['config.yaml']);
  });

  it('[R-23] leaves no secret behind when the settings would not be valid', async () => {
    const typed = [OTHER, server.url, 'mine', 'sk-secret', 'big'];
    const { code, err } = await setup(['--host', 'not a host'], typed);
    expect([code, err]).toEqual([1, expect.stringContaining('gateway.host')]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('[R-23] lets a person choose again when the model does not answer', async () => {
    const broken = await ListingServer.start([{ id: 'broken' }]);
    const answers = [OTHER, broken.url, 'broken', 'sk-x', 'broken', 'y', OTHER, server.url, 'mine', '', 'big', 'n'];
    const { code, err } = await setup([], answers);
    broken.stop();
    expect(code).toBe(0);
    expect(err).toContain('The model does not answer: the provider of the model refuses the credential');
    expect(read()).not.toContain('broken');
  });

  it('[R-23] hides the secrets of an existing file in what it shows', async () => {
    const before = [
      'auth: { token: "inline-operator-token-1" }',
      'providers:',
      '  mine: { api: openai-completions, base_url: "http://x/v1", api_key: sk-inline-1 }',
      '  more:',
      '    api: openai-completions',
      '    base_url: http://x/v1',
      '    headers:',
      '      X-Gate: >-',
      '        folded passphrase',
      '    api_key: *inline',
      'agent: { system_prompt: &inline sk-anchored-1 }',
    ];
    const [prompt] = before.splice(-1);
    writeFileSync(config, `${[prompt, ...before].join('\n')}\n`);
    const { code, err } = await setup(['--yes', '--provider', 'ours', '--base-url', server.url, '--model', 'big']);
    expect([code, err]).toEqual([0, expect.stringContaining('***')]);
    expect(err).not.toMatch(/inline-operator|sk-inline|passphrase|sk-anchored/);
    expect(read()).toContain('sk-inline-1');
  });

  it('[R-23] asks again for a key that is refused, and says what to do with one of the environment', async () => {
    const strict = await ListingServer.start([{ id: 'big' }], 'Hello to you.', 'sk-right');
    try {
      const refused = await setup(['--yes', '--base-url', strict.url], [], { LOCAL_API_KEY: 'sk-wrong' });
      expect([refused.code, refused.err]).toEqual([
        1,
        expect.stringContaining('the key is refused (HTTP 401). Set LOCAL_API_KEY to a key that local accepts.'),
      ]);
      const typed = await setup([], [OTHER, strict.url, 'mine', 'sk-wrong', 'sk-right', 'big', 'n']);
      expect(typed.code).toBe(0);
      expect(read(join(folder, 'secrets/mine-api-key'))).toBe('sk-right\n');
    } finally {
      strict.stop();
    }
  });

  it('[R-23] says that nothing was written, and where the key comes from', async () => {
    const args = ['--yes', '--provider', 'mine', '--base-url', server.url];
    expect((await setup(args, [], { MINE_API_KEY: 'sk-env' })).err).toMatch(
      /^Written: .*\n(?:.*\n)*The gateway takes the key of mine from its environment: MINE_API_KEY\n$/m,
    );
    expect((await setup(args, [], { MINE_API_KEY: 'sk-env' })).err).toContain(`${config} stays as it is`);
    expect((await setup(['--yes', '--provider', 'nowhere'])).err).toContain('there is mine');
  });

  it('[R-23] --yes with flags asks nothing', async () => {
    const args = ['--yes', '--provider', 'mine', '--base-url', server.url, '--model', 'big', '--host', '::'];
    const { code, out, err } = await setup(args, [], { MINE_API_KEY: 'sk-env' });
    expect(code).toBe(0);
    expect(server.asked[0]?.authorization).toBe('Bearer sk-env');
    expect(err).toMatch(
      /^Model: mine\/big\n> Say hello in one short sentence\.\nHello to you\.\n\(first token after \d+ ms\)\n/,
    );
    expect(err).toContain('+ agent:\n+   model: mine/big');
    expect(out).toMatch(/^OPENCLAW_AUTH_TOKEN_FILE=\S+operator-token openclaw start --config /);
    expect((await setup(['--yes', '--provider', 'mine'], [], { MINE_API_KEY: 'sk-env' })).code).toBe(0);
    expect(read()).toContain('model: mine/big');
  });

  it.each([
    ['an unknown provider', ['--provider', 'nowhere'], /No provider nowhere was found/],
    ['a model that does not answer', ['--base-url', 'http://127.0.0.1:9/v1', '--model', 'x'], /cannot be reached/],
    ['a server without models', ['--base-url', 'http://127.0.0.1:9/v1'], /ECONNREFUSED/],
    ['an address that is none', ['--base-url', 'nonsense'], /not the address of an API/],
  ])('[R-23] --yes fails for %s and writes nothing', async (_what, args, message) => {
    const { code, err } = await setup(['--yes', ...args]);
    expect(code).toBe(1);
    expect(err).toMatch(message);
    expect(existsSync(config)).toBe(false);
  });

  it('[R-23] writes nothing when the input ends, and refuses a file with faults', async () => {
    expect(await setup([], [OTHER, server.url])).toMatchObject({ code: 1, out: '' });
    expect(existsSync(config)).toBe(false);
    writeFileSync(config, 'agnet: {}\n');
    expect((await setup([])).err).toContain('did you mean agent?');
  });

  it('[R-23] offers what it finds: keys in the environment, configured providers, servers of this machine', () => {
    const local = { api: 'openai-completions', base_url: 'http://127.0.0.1:11434/v1' } as const;
    const providers = { anthropic: { api_key: 'k' }, ollama: { ...local, base_url: 'http://10.0.0.1/v1' } };
    const second = { ...local, base_url: 'http://127.0.0.1:8080/v1' };
    const servers = [local, second].map((provider) => ({ name: 'ollama', provider, models: [] }));
    const found = listCandidates(parts, providers, { ANTHROPIC_API_KEY: 'k' }, servers);
    expect(found.map(({ name, origin }) => [name, origin])).toEqual([
      ['anthropic', 'environment'],
      ['ollama', 'settings'],
      ['ollama-2', 'this machine'],
      ['ollama-3', 'this machine'],
    ]);
  });
});
