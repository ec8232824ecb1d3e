import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PromptFiles } from '../../src/agents/pi/prompt-files.js';
import { AgentsService } from '../../src/core/agents/agents.service.js';
import { ConfigStoreService } from '../../src/core/config/config-store.service.js';
import { loadSettings } from '../../src/settings.js';
import type { CoreHarness } from '../../src/testing/core-harness.js';
import { FakeReader } from '../../src/testing/fake-reader.js';
import { MemorySettings } from '../../src/testing/memory-settings.js';
import { GatewayApp } from '../support/gateway-app.js';
import { buildModelHarness } from '../support/model-harness.js';
import { ModelServer, textOf } from '../support/model-server.js';
import { RecordingLogs } from '../support/recording-logs.js';

let server: ModelServer;
let harness: CoreHarness;
let logs: RecordingLogs;
let folder: string;
const ann = new FakeReader();

beforeEach(async () => {
  server = await ModelServer.start();
  server.mock.on({}, { content: 'Hello.' });
  folder = mkdtempSync(join(tmpdir(), 'prompt-files-'));
  logs = new RecordingLogs();
});
afterEach(async () => {
  await harness.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const path = (name: string) => join(folder, name);

/** Starts with these files for `main`, after the check of the start. */
async function start(...files: readonly string[]): Promise<void> {
  harness = buildModelHarness(server, 'openai-completions', {
    logs,
    settings: {
      'agent.system_prompt': 'Be kind.',
      agents: { main: { prompt_files: files.map(path) } },
    },
  });
  await new PromptFiles(harness.config, harness.agents, logs).check();
  await harness.start();
}

let messages = 0;
/** The system prompt of the next turn. */
async function ask(): Promise<string> {
  const id = `p${++messages}`;
  await harness.say(ann, id, 'hello');
  await ann.waitForEnd(id);
  return textOf(server.asked.at(-1)?.messages.find(({ role }) => role === 'system')?.content ?? '');
}
const warnings = () => logs.entries.filter(({ level }) => level === 'warn').length;

describe('prompt files', () => {
  it('[R-24] follow the system prompt in their order, separated by an empty line', async () => {
    writeFileSync(path('b.md'), '\uFEFFSecond.\r\n');
    writeFileSync(path('a.md'), 'First.\n\n- one\n');
    await start('a.md', 'b.md');
    expect(await ask()).toMatch(/^Be kind\.\n\nFirst\.\n\n- one\n\nSecond\.\n\nYou are /);
  });

  it('[R-24] are read again when they change, also through the links of a ConfigMap', async () => {
    const version = (name: string, text: string) => {
      mkdirSync(path(name));
      writeFileSync(join(path(name), 'prompt.md'), text);
      symlinkSync(name, path('..data_tmp'));
      renameSync(path('..data_tmp'), path('..data'));
    };
    version('..2026_1', 'Old rules.');
    symlinkSync('..data/prompt.md', path('prompt.md'));
    await start('prompt.md');
    expect(await ask()).toContain('Old rules.');
    version('..2026_2', 'New rules.');
    rmSync(path('..2026_1'), { recursive: true });
    expect(await ask()).toContain('New rules.');
  });

  it.each<[string, () => void, RegExp]>([
    ['is missing', () => {}, /a\.md does not exist/],
    ['is a folder', () => mkdirSync(path('a.md')), /a\.md is not a file/],
    ['is too large', () => writeFileSync(path('a.md'), 'x'.repeat(65_537)), /larger than 65536 bytes/],
    ['is 10 MB', () => writeFileSync(path('a.md'), Buffer.alloc(10_000_000, 'x')), /larger than 65536 bytes/],
    ['is not UTF-8', () => writeFileSync(path('a.md'), Buffer.from([0xff, 0xfe])), /is not UTF-8/],
  ])('[R-24] prevent the start when one %s', async (_how, prepare, message) => {
    prepare();
    await expect(start('a.md')).rejects.toThrow(message);
  });

  it('[R-24] that cannot be read prevent the start of the whole gateway', async () => {
    await start();
    const settings = { agents: { main: { prompt_files: [path('missing.md')] } } };
    await expect(GatewayApp.start({ settings })).rejects.toThrow(/missing\.md does not exist/);
  });

  it('[R-24] prevent the start when they are too large together', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names) writeFileSync(path(name), 'x'.repeat(60_000));
    await expect(start(...names)).rejects.toThrow(/agents\.main\.prompt_files: together larger than 262144 bytes/);
  });

  it('[R-24] that cannot be read later give one warning, and the last good text stays', async () => {
    writeFileSync(path('a.md'), 'Good text.');
    await start('a.md');
    expect(await ask()).toContain('Good text.');
    rmSync(path('a.md'));
    for (let i = 0; i < 3; i++) expect(await ask()).toContain('Good text.');
    expect(warnings()).toBe(1);
    writeFileSync(path('a.md'), 'x'.repeat(70_000));
    expect(await ask()).toContain('Good text.');
    expect(warnings()).toBe(2);
    writeFileSync(path('a.md'), 'Better text.');
    expect(await ask()).toContain('Better text.');
    expect(warnings()).toBe(2);
  });
});

describe('prompt files that a change at run time names', () => {
  let store: MemorySettings;
  let config: ConfigStoreService;
  beforeEach(async () => {
    store = new MemorySettings();
    await start();
  });

  /** Starts as a gateway does whose settings file is in the folder. */
  async function open(unset?: readonly string[]): Promise<void> {
    config = new ConfigStoreService({ ...loadSettings({ NODE_ENV: 'production' }, {}, folder), unset }, logs);
    const files = new PromptFiles(config, new AgentsService(config), logs);
    await config.open(store);
    await files.check();
  }
  const set = (changes: Record<string, unknown>) => config.change(config.version, changes, 'ada');

  it.each<[string, (file: string) => void, RegExp]>([
    ['is missing', () => {}, /a\.md does not exist/],
    ['is a folder', (file) => mkdirSync(file), /a\.md is not a file/],
    ['is too large', (file) => writeFileSync(file, 'x'.repeat(65_537)), /larger than 65536 bytes/],
    ['is not UTF-8', (file) => writeFileSync(file, Buffer.from([0xff, 0xfe])), /is not UTF-8/],
  ])('[R-24] are refused when one %s, and the next start succeeds', async (_how, prepare, message) => {
    await open();
    prepare(path('a.md'));
    for (const changes of [{ 'agents.ops.prompt_files': ['a.md'] }, { agents: { ops: { prompt_files: ['a.md'] } } }])
      expect(await set(changes)).toMatchObject({
        kind: 'invalid',
        faults: [{ key: 'agents.ops.prompt_files', message: expect.stringMatching(message) as string }],
      });
    await open();
  });

  it('[R-24] are read when they are good, and do not stand in the way of other changes later', async () => {
    await open();
    writeFileSync(path('a.md'), 'Good text.');
    expect(await set({ 'agents.ops.prompt_files': ['a.md'] })).toMatchObject({ kind: 'changed' });
    rmSync(path('a.md'));
    expect(await set({ 'agents.ops.name': 'olga' })).toMatchObject({ kind: 'changed' });
  });

  it('[R-24] are named as of run time when they prevent a start, which can remove them', async () => {
    await open();
    writeFileSync(path('a.md'), 'Good text.');
    await set({ 'agents.ops.prompt_files': ['a.md'], 'agents.ops.name': 'olga' });
    rmSync(path('a.md'));
    await expect(open()).rejects.toThrow(
      /a\.md does not exist \(source: run time, .*`openclaw start --unset agents\.ops\.prompt_files` removes it\)/,
    );
    await open(['agents.ops.prompt_files']);
    expect(config.get('agents')).toEqual({ ops: { name: 'olga' } });
    expect(store.changes.at(-1)).toMatchObject({
      actor: 'command line',
      before: '{"agents.ops.prompt_files":["a.md"]}',
      after: '{"agents.ops.prompt_files":null}',
    });
    await open(['agents.ops.prompt_files', 'no.such.key']);
    await open(['agents']);
    expect([config.get('agents'), store.stored.values]).toEqual([{}, {}]);
  });

  it('[R-24] lie below the folder of the settings, links followed, and hold no settings or secrets', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'outside-'));
    try {
      writeFileSync(join(outside, 'x.md'), 'Outside.');
      mkdirSync(path('keys'));
      for (const name of ['config.yaml', '.env', 'inside.md']) writeFileSync(path(name), '# text');
      writeFileSync(path('keys/key'), 'secret');
      symlinkSync(join(outside, 'x.md'), path('link.md'));
      symlinkSync(outside, path('folder'));
      symlinkSync('inside.md', path('good.md'));
      symlinkSync('keys/key', path('key.md'));
      const environment = { NODE_ENV: 'production', ANTHROPIC_API_KEY_FILE: path('keys/key') };
      config = new ConfigStoreService(loadSettings(environment, {}, folder), logs);
      await config.open(store);
      const kinds = await Promise.all(
        ['link.md', 'folder/x.md', 'config.yaml', '.env', 'keys/key', 'key.md'].flatMap((file) => [
          set({ 'agents.ops.prompt_files': [file] }),
          set({ 'agents.ops.skills': [file] }),
        ]),
      );
      expect(new Set(kinds.map(({ kind }) => kind))).toEqual(new Set(['invalid']));
      expect(await set({ 'agents.ops.skills': ['keys'] })).toMatchObject({
        faults: [{ key: 'agents.ops.skills', message: '"keys" holds settings or secrets, which no agent may read' }],
      });
      expect(await set({ 'agents.ops.prompt_files': ['good.md'] })).toMatchObject({ kind: 'changed' });
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it('[R-24] name every change at run time when a rule is broken together with the file', async () => {
    await open();
    store.stored = { version: 1, values: { bindings: '[{"agent":"ops","channel":"slack"}]' } };
    await expect(open()).rejects.toThrow(
      'bindings[0].agent: there is no agent ops (source: run time, bindings; `openclaw start --unset bindings` removes it)',
    );
    await open(['bindings']);
  });
});
