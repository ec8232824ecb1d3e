import { describe, expect, it } from 'vitest';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { SettingsHistoryService } from '../core/config/settings-history.service.js';
import { LOCAL_OPERATOR, type Principal } from '../core/identity/principal.js';
import type { Scope } from '../protocol/domain.js';
import { SilentLogs } from '../core/telemetry/logs.js';
import { loadSettings } from '../settings.js';
import { MemorySettings } from '../testing/memory-settings.js';
import { ConfigController } from './config.controller.js';

const TOKEN = { token: 't'.repeat(43), principal: 'boss', role: 'operator' };

function anOperator(...scopes: readonly Scope[]): Principal {
  return { ...LOCAL_OPERATOR, principal: 'ann', scopes: new Set(scopes) };
}

const aController = (config: ConfigStoreService, store: MemorySettings) =>
  new ConfigController(config, new SettingsHistoryService(store, config));

async function openReplicas(): Promise<[ConfigStoreService, ConfigController]> {
  const store = new MemorySettings();
  const open = async () => {
    const config = new ConfigStoreService(loadSettings({}, {}, '/nonexistent'), new SilentLogs());
    await config.open(store);
    return config;
  };
  return [await open(), aController(await open(), store)];
}

describe('a change of settings at a replica that is behind', () => {
  it('[P-20] is compared with the settings that it replaces: a removed credential is a new one', async () => {
    const [other, controller] = await openReplicas();
    await other.change(0, { 'auth.tokens': [TOKEN] }, 'boss');
    const author = anOperator('admin:read', 'config:write', 'tokens:write');
    const add = (version: number) => controller.changeConfig({ version, changes: { 'auth.tokens': [TOKEN] } }, author);
    expect(await add(1)).toMatchObject({ version: 2 });
    await other.reload();
    await other.change(2, { 'auth.tokens': [] }, 'boss');
    await expect(add(3)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('[P-10] is refused at a version that no replica has made', async () => {
    const [, controller] = await openReplicas();
    const change = controller.changeConfig(
      { version: 1, changes: { 'agent.name': 'ada' } },
      anOperator('config:write'),
    );
    await expect(change).rejects.toMatchObject({ code: 'STALE_VERSION', details: { version: 0 } });
  });
});
