import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings } from '../../settings.js';
import { KeptLogs } from '../../testing/kept-logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { MemorySettings } from '../../testing/memory-settings.js';
import type { Undo } from '../lifecycle/steps.js';
import { ConfigStoreService } from './config-store.service.js';
import { LOOK_INTERVAL_MS, SecretFilesService } from './secret-files.service.js';

let folder: string;
let clock: ManualClock;
let logs: KeptLogs;
let config: ConfigStoreService;
let stop: Undo | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secret-files-'));
  clock = new ManualClock();
  logs = new KeptLogs();
});
afterEach(() => {
  void stop?.(new AbortController().signal);
  rmSync(folder, { recursive: true });
});

const file = (name: string) => join(folder, name);

/** Replaces a file as Kubernetes does: by a link to another one. */
function rotate(name: string, content: string): void {
  const version = file(`${name}.${content.length}.${Math.abs(content.charCodeAt(0))}`);
  writeFileSync(version, content);
  symlinkSync(version, file(`${name}.next`));
  renameSync(file(`${name}.next`), file(name));
}

async function start(environment: Record<string, string>): Promise<void> {
  config = new ConfigStoreService(loadSettings({ NODE_ENV: 'production', ...environment }, {}, folder), logs);
  await config.open(new MemorySettings());
  stop = await new SecretFilesService(config, clock, logs).start();
}

/** Turns the clock, and waits until the files were looked at. */
async function look(expected: () => boolean): Promise<void> {
  await clock.advanceAsync(LOOK_INTERVAL_MS);
  await expect.poll(expected).toBe(true);
}

const countLines = (text: string) => logs.lines.filter((line) => line.includes(text)).length;
const keyOf = (name: string) => config.get('providers')[name]?.api_key;

describe('files of secrets', () => {
  it('[P-03] are read again when they are replaced, also those with keys of providers', async () => {
    rotate('openai', 'sk-first');
    rotate('name', 'ada');
    await start({ OPENAI_API_KEY_FILE: file('openai'), OPENCLAW_AGENT_NAME_FILE: file('name') });
    const seen: unknown[] = [];
    config.watch('providers', (value) => seen.push(value['openai']?.api_key));
    rotate('openai', 'sk-second');
    await look(() => keyOf('openai') === 'sk-second');
    rotate('name', 'grace');
    await look(() => config.get('agent.name') === 'grace');
    expect(seen).toEqual(['sk-second']);
    expect(config.listSecrets()).toContain('sk-second');
    expect(countLines('files of secrets have changed')).toBe(2);
  });

  it('[P-03] keep their value while a file is missing or not allowed, and say so once', async () => {
    rotate('name', 'ada');
    await start({ OPENCLAW_AGENT_NAME_FILE: file('name') });
    unlinkSync(file('name'));
    await look(() => countLines('cannot be used') === 1);
    await clock.advanceAsync(LOOK_INTERVAL_MS);
    rotate('name', 'x'.repeat(10_000));
    await look(() => countLines('cannot be used') === 2);
    expect(config.get('agent.name')).toBe('ada');
    rotate('name', 'grace');
    await look(() => config.get('agent.name') === 'grace');
  });

  it.each([
    ['an empty file', ''],
    ['a line break', '\n'],
    ['two lines', 'sk-one\nsk-two\n'],
  ])('[P-03] keep the key of a provider when it is replaced by %s', async (_, text) => {
    rotate('openai', 'sk-first');
    await start({ OPENAI_API_KEY_FILE: file('openai') });
    rotate('openai', text);
    await look(() => countLines('cannot be used') === 1);
    expect(keyOf('openai')).toBe('sk-first');
    const fields = JSON.stringify(logs.fields);
    expect(fields).toContain('OPENAI_API_KEY_FILE: names a file');
    expect(fields).not.toContain('nothing was started');
    rotate('openai', 'sk-second');
    await look(() => keyOf('openai') === 'sk-second');
  });

  it('[P-03] come into force while another one cannot be used', async () => {
    rotate('openai', 'sk-first');
    rotate('anthropic', 'sk-other');
    rotate('name', 'ada');
    await start({
      OPENAI_API_KEY_FILE: file('openai'),
      ANTHROPIC_API_KEY_FILE: file('anthropic'),
      OPENCLAW_AGENT_NAME_FILE: file('name'),
    });
    rotate('openai', '');
    rotate('anthropic', 'sk-next');
    rotate('name', 'grace');
    await look(() => keyOf('anthropic') === 'sk-next' && config.get('agent.name') === 'grace');
    expect(keyOf('openai')).toBe('sk-first');
    await look(() => countLines('cannot be used') === 1);
    rotate('name', 'hedy');
    await look(() => config.get('agent.name') === 'hedy');
    expect(countLines('cannot be used')).toBe(1);
    rotate('openai', 'sk-second');
    await look(() => keyOf('openai') === 'sk-second');
  });

  it('[P-03] that need a restart are pending until then', async () => {
    rotate('token', 'a-token-of-sixteen-chars');
    await start({ OPENCLAW_AUTH_TOKEN_FILE: file('token') });
    rotate('token', 'the-token-of-tomorrow');
    await look(() => countLines('after a restart') === 1);
    expect(config.get('auth.token')).toBe('a-token-of-sixteen-chars');
    expect(config.list().find(({ key }) => key === 'auth.token')).toMatchObject({ isPending: true });
  });

  it('[P-03] leave what was changed at run time as it is', async () => {
    rotate('name', 'ada');
    await start({ OPENCLAW_AGENT_NAME_FILE: file('name') });
    await config.set('agent.name', 'own', 'ann');
    rotate('name', 'grace');
    await look(() => countLines('have changed') === 1);
    expect(config.get('agent.name')).toBe('own');
    await config.change(config.version, { 'agent.name': null }, 'ann');
    expect(config.get('agent.name')).toBe('grace');
  });
});
