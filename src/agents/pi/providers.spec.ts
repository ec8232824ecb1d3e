import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { findProvider } from './providers.js';
import { SettingsError } from '../../core/config/section.js';
import { loadSettings } from '../../settings.js';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { MemorySettings } from '../../testing/memory-settings.js';

const load = (environment: Record<string, string>, overrides: Record<string, unknown> = {}) =>
  loadSettings({ NODE_ENV: 'production', ...environment }, overrides, '/nonexistent');

function faultsOf(environment: Record<string, string>, overrides: Record<string, unknown>): string {
  try {
    load(environment, overrides);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  throw new Error('no fault was found');
}

const local = { api: 'openai-completions', base_url: 'http://127.0.0.1:11434/v1' };

describe('the model providers', () => {
  it('[R-01] anthropic and openai need only their usual variables', () => {
    const { providers } = load(
      { ANTHROPIC_API_KEY: 'key-a', OPENAI_API_KEY: 'key-o' },
      { 'agent.model': 'anthropic/claude' },
    ).values;
    expect(findProvider(providers, 'anthropic')).toEqual({
      api: 'anthropic-messages',
      base_url: 'https://api.anthropic.com',
      api_key: 'key-a',
    });
    expect(findProvider(providers, 'openai')).toMatchObject({ api: 'openai-responses', api_key: 'key-o' });
    expect(findProvider(providers, 'toString')).toBeUndefined();
  });

  it('[R-01] a key in a setting takes precedence over the usual variable', () => {
    const { providers } = load(
      { OPENAI_API_KEY: 'usual' },
      { providers: { openai: { api_key: 'set', api: 'openai-completions' } } },
    ).values;
    expect(findProvider(providers, 'openai')).toMatchObject({
      api: 'openai-completions',
      base_url: 'https://api.openai.com/v1',
      api_key: 'set',
    });
  });

  it.each([
    ['is empty', '', 'is empty'],
    ['has only a line break', '\n', 'is empty'],
    ['has two lines', 'sk-one\nsk-two\n', 'one line'],
    ['has a control character', 'sk-\u0000one', 'one line'],
    ['has a character that is not Latin-1', 'sk-\u2028one', 'one line'],
    ['is too long', 'k'.repeat(16_385), 'one line'],
  ])('[R-01] a file of a key stops the start when it %s', (_, text, fault) => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'provider-key-'));
    const file = join(folder.path, 'key');
    writeFileSync(file, text);
    const message = faultsOf(
      { OPENAI_API_KEY_FILE: file, ANTHROPIC_API_KEY_FILE: file, OPENCLAW_GATEWAY_PORT: 'x' },
      {},
    );
    expect(message).toMatch(new RegExp(`OPENAI_API_KEY_FILE: .*${fault}`));
    expect(message).toMatch(new RegExp(`ANTHROPIC_API_KEY_FILE: .*${fault}`));
    expect(message).toContain('gateway.port');
    expect(message).not.toContain('sk-');
  });

  it('[R-01] a key of the usual variable, or of its file, may end in a line break', () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'provider-key-'));
    const file = join(folder.path, 'key');
    writeFileSync(file, 'key-o\r\n');
    const { providers } = load({ ANTHROPIC_API_KEY: 'key-a\n', OPENAI_API_KEY_FILE: file }).values;
    expect(findProvider(providers, 'anthropic')).toMatchObject({ api_key: 'key-a' });
    expect(findProvider(providers, 'openai')).toMatchObject({ api_key: 'key-o' });
    expect(faultsOf({ ANTHROPIC_API_KEY: 'key\na' }, {})).toMatch(/ANTHROPIC_API_KEY: .*one line/);
  });

  it.each(['key\n', 'key\r\nx-evil: 1', 'ke\u0000y', 'schlüsſel', ''])(
    '[R-01] a key in a setting is what a header can have: not %j',
    (api_key) => {
      const overrides = { providers: { local: { ...local, api_key } } };
      expect(faultsOf({}, overrides)).toContain('/local/api_key');
      expect(faultsOf({}, overrides)).not.toContain('evil');
    },
  );

  it('[R-02] a model whose provider is not configured stops the start and says what to set', () => {
    expect(faultsOf({}, { 'agent.model': 'openai/gpt' })).toContain(
      'agent.model: the provider "openai" is not configured; set OPENAI_API_KEY or providers.openai',
    );
    expect(faultsOf({}, { 'agent.model': 'local/llama' })).toContain('set providers.local');
    expect(faultsOf({}, { 'agent.runtime': 'pi' })).toContain('agent.model: is needed by agent.runtime: pi');
    expect(faultsOf({}, { providers: { mine: { api: 'openai-completions' } } })).toContain(
      'providers.mine: must have api and base_url',
    );
    expect(faultsOf({}, { 'agent.model': 'llama', providers: { local } })).toContain('agent.model');
    expect(faultsOf({}, { providers: { local: { ...local, api: 'smoke-signals' } } })).toContain('providers');
  });

  it('[R-02] a change at run time follows the same rule', async () => {
    const config = new ConfigStoreService(load({}, {}), new SilentLogs());
    await config.open(new MemorySettings());
    expect(await config.change(0, { 'agent.model': 'local/llama' }, 'ada')).toMatchObject({
      kind: 'invalid',
      faults: [{ key: 'agent.model' }],
    });
    expect(await config.change(0, { 'agent.model': 'local/llama', providers: { local } }, 'ada')).toMatchObject({
      kind: 'changed',
      needsRestart: [],
    });
    expect(await config.change(1, { providers: null }, 'ada')).toMatchObject({ kind: 'invalid' });
  });

  it.each([
    ['a name with a line break', { 'a\r\nb': 'x' }],
    ['a name with a blank', { 'a b': 'x' }],
    ['a value with a line break', { 'x-team': 'a\r\nb' }],
    ['the text that is shown in place of a value', { 'x-team': '***' }],
  ])('[R-02] headers are refused that HTTP cannot send: %s', (_, headers) => {
    expect(faultsOf({}, { providers: { local: { ...local, headers } } })).toContain('providers');
  });

  it('[R-03] keys and headers are never returned, neither to operators nor in the audit trail', async () => {
    const secret = { ...local, api_key: 'sk-secret', headers: { 'x-extra': 'sk-secret' } };
    const config = new ConfigStoreService(
      load({ ANTHROPIC_API_KEY: 'sk-secret' }, { providers: { local: secret } }),
      new SilentLogs(),
    );
    const store = new MemorySettings();
    await config.open(store);
    await config.change(0, { providers: { local: secret, other: secret } }, 'ada');
    expect(JSON.stringify([config.list(), store.changes.map(({ before, after }) => [before, after])])).not.toContain(
      'sk-secret',
    );
    expect(config.list().find((view) => view.key === 'providers')?.value).toMatchObject({
      local: { ...local, api_key: '***', headers: { 'x-extra': '***' } },
    });
    expect(await config.change(1, { providers: { local: { ...local, api_key: '***' } } }, 'ada')).toMatchObject({
      kind: 'invalid',
    });
  });
});
