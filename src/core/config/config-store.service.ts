import type { LoadedSettings, SettingSource } from './load-settings.js';
import { settingRows, type SettingKey, type SettingValue } from './settings.js';
import type { Log, Logs } from '../telemetry/logs.js';

/** Called with (new, old) after a setting has changed. */
export type ConfigWatcher<T> = (value: T, oldValue: T) => void;

/**
 * The settings in force (the chapter's Configuration Store). Whoever needs a setting asks here each time, or watches
 * it, so that a change at run time reaches everybody.
 */
export class ConfigStoreService {
  private readonly values = new Map<SettingKey, unknown>();
  private readonly watchers = new Map<SettingKey, Set<ConfigWatcher<never>>>();
  private readonly log: Log;

  constructor(
    private readonly loaded: LoadedSettings,
    logs: Logs,
  ) {
    this.log = logs.for('config');
    for (const row of settingRows) {
      const value = row.key.split('.').reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], loaded.settings);
      this.values.set(row.key as SettingKey, value);
    }
  }

  get<K extends SettingKey>(key: K): SettingValue<K> {
    return this.values.get(key) as SettingValue<K>;
  }

  /** Where the value in force came from. */
  getSource(key: SettingKey): SettingSource {
    return this.loaded.sources.get(key) ?? 'default';
  }

  /** Puts a value in force and tells its watchers. The value must have been validated. */
  set<K extends SettingKey>(key: K, value: SettingValue<K>): void {
    const oldValue = this.get(key);
    this.values.set(key, value);
    for (const watcher of this.watchers.get(key) ?? []) {
      try {
        (watcher as ConfigWatcher<SettingValue<K>>)(value, oldValue);
      } catch (error) {
        // One watcher's fault is not the others': they must all see the change.
        this.log.error({ key, error }, 'a watcher of a setting threw');
      }
    }
  }

  /** Calls `watcher` after each change of `key`; the answer ends it. */
  watch<K extends SettingKey>(key: K, watcher: ConfigWatcher<SettingValue<K>>): () => void {
    const watchers = this.watchers.get(key) ?? new Set();
    this.watchers.set(key, watchers.add(watcher as ConfigWatcher<never>));
    return () => watchers.delete(watcher as ConfigWatcher<never>);
  }
}
