import type { SettingsStore, StoredSettings } from '../store/index.js';
import type { Log, Logs } from '../telemetry/logs.js';
import {
  findFault,
  SettingsError,
  type LoadedSettings,
  type SettingFault,
  type SettingSource,
} from './load-settings.js';
import { findModelFaults } from './providers.js';
import { hideSecrets } from './secrets.js';
import { settingRows, type SettingKey, type SettingRow, type SettingValue } from './settings.js';

/** Called with (new, old) after a setting has changed. */
export type ConfigWatcher<T> = (value: T, oldValue: T) => void;

/** One setting as an operator sees it; secrets are hidden. */
export interface SettingView {
  readonly key: SettingKey;
  readonly value: unknown;
  readonly source: SettingSource;
  readonly needsRestart: boolean;
  readonly description: string;
}

/** How a change went. `stale`: somebody else changed the settings meanwhile; `version` is theirs. */
export type ChangeOutcome =
  | { readonly kind: 'changed'; readonly version: number; readonly needsRestart: readonly SettingKey[] }
  | { readonly kind: 'stale'; readonly version: number }
  | { readonly kind: 'invalid'; readonly faults: readonly SettingFault[] };

/** A rule over several settings: says what is wrong with them together, given how to read each as it would be. */
export type SettingsRule = (get: <K extends SettingKey>(key: K) => SettingValue<K>) => SettingFault | undefined;

/** It says where the changes themselves are kept. */
const NEVER_AT_RUN_TIME: ReadonlySet<string> = new Set(['store.url']);

const rowOf = new Map<string, SettingRow>(settingRows.map((row) => [row.key, row]));

/**
 * The settings in force (the chapter's Configuration Store). Whoever needs a setting asks here each time, or watches
 * it, so that a change at run time reaches everybody. A change is kept in the store and goes before file and environment;
 * only the command line goes before it.
 */
export class ConfigStoreService {
  private readonly values = new Map<SettingKey, unknown>();
  private readonly watchers = new Map<SettingKey, Set<ConfigWatcher<never>>>();
  private readonly rules: SettingsRule[] = [
    (get) =>
      findModelFaults({ runtime: get('agent.runtime'), model: get('agent.model'), providers: get('providers') })[0],
  ];
  private readonly log: Log;
  private store: SettingsStore | undefined;
  private stored: StoredSettings = { version: 0, values: {} };

  constructor(
    private readonly loaded: LoadedSettings,
    logs: Logs,
  ) {
    this.log = logs.for('config');
    for (const row of settingRows) this.values.set(row.key as SettingKey, this.readLoaded(row.key));
  }

  get<K extends SettingKey>(key: K): SettingValue<K> {
    return this.values.get(key) as SettingValue<K>;
  }

  /** Grows with each change at run time. */
  get version(): number {
    return this.stored.version;
  }

  /** All settings, in the order of the reference, with where each value came from. */
  list(): readonly SettingView[] {
    return settingRows
      .filter((row) => !row.schema['x-later'])
      .map((row) => ({
        key: row.key as SettingKey,
        value: hideSecrets(row.schema, this.values.get(row.key as SettingKey)),
        source: this.getSource(row.key),
        needsRestart: row.schema['x-restart'] === true,
        description: row.schema.description ?? '',
      }));
  }

  /**
   * Changes one setting for good, whatever was changed meanwhile.
   * @throws SettingsError when the value is not allowed; GatewayError STORE_UNAVAILABLE
   */
  async set<K extends SettingKey>(key: K, value: SettingValue<K>, actor: string): Promise<void> {
    for (;;) {
      const outcome = await this.change(this.version, { [key]: value }, actor);
      if (outcome.kind === 'changed') return;
      if (outcome.kind === 'invalid') throw new SettingsError(outcome.faults);
    }
  }

  /** Calls `watcher` after each change of `key`; the answer ends it. */
  watch<K extends SettingKey>(key: K, watcher: ConfigWatcher<SettingValue<K>>): () => void {
    const watchers = this.watchers.get(key) ?? new Set();
    this.watchers.set(key, watchers.add(watcher));
    return () => watchers.delete(watcher);
  }

  /** Adds a rule that every change must keep. */
  addRule(rule: SettingsRule): void {
    this.rules.push(rule);
  }

  /** Puts the changes that were made before this start in force. From here on changes are possible. */
  async open(store: SettingsStore): Promise<void> {
    this.store = store;
    await this.reload();
  }

  /** Takes over what another replica changed. */
  async reload(): Promise<void> {
    if (this.store) this.adopt(await this.store.readSettings());
  }

  /**
   * Changes settings, all or none, if `version` is still the current one. A null takes a change at run time back.
   * @param actor who, for the audit trail
   * @throws GatewayError STORE_UNAVAILABLE
   */
  async change(version: number, changes: Readonly<Record<string, unknown>>, actor: string): Promise<ChangeOutcome> {
    if (!this.store) throw new Error('the settings cannot be changed before the store is open');
    const faults = this.findFaults(changes);
    if (faults.length > 0) return { kind: 'invalid', faults };
    const values = Object.fromEntries(
      Object.entries(changes).map(([key, value]) => [key, value === null ? null : JSON.stringify(value)]),
    );
    const stored = await this.store.changeSettings(version, {
      values,
      actor,
      before: this.describe(changes),
      after: describeValues(changes),
    });
    if (!stored) {
      await this.reload();
      return { kind: 'stale', version: this.version };
    }
    this.log.info({ version: stored.version, keys: Object.keys(changes), actor }, 'settings changed');
    this.adopt(stored);
    const needsRestart = Object.keys(changes).filter((key) => rowOf.get(key)?.schema['x-restart']) as SettingKey[];
    return { kind: 'changed', version: stored.version, needsRestart };
  }

  private findFaults(changes: Readonly<Record<string, unknown>>): SettingFault[] {
    const faults = Object.entries(changes).flatMap(([key, value]) => {
      const row = rowOf.get(key);
      if (!row) return [{ key, message: 'unknown setting' }];
      if (NEVER_AT_RUN_TIME.has(key))
        return [{ key, message: 'cannot be changed at run time: it says where changes are kept' }];
      const message = value === null ? undefined : findFault(row, value);
      return message === undefined ? [] : [{ key, message }];
    });
    if (faults.length > 0) return faults;
    const get = <K extends SettingKey>(key: K) =>
      (changes[key] ?? (changes[key] === null ? this.readLoaded(key) : this.get(key))) as SettingValue<K>;
    return this.rules.flatMap((rule) => rule(get) ?? []);
  }

  /** Only ever forward: an older version that arrives late changes nothing. */
  private adopt(stored: StoredSettings): void {
    if (stored.version < this.stored.version) return;
    this.stored = stored;
    for (const row of settingRows) {
      const key = row.key as SettingKey;
      const value = this.readEffective(row);
      const oldValue = this.values.get(key);
      if (JSON.stringify(value) === JSON.stringify(oldValue)) continue;
      this.values.set(key, value);
      this.tell(key, value, oldValue);
    }
  }

  private readEffective(row: SettingRow): unknown {
    const changed = this.stored.values[row.key];
    if (changed === undefined || this.loaded.sources.get(row.key) === 'command line') return this.readLoaded(row.key);
    const value: unknown = JSON.parse(changed);
    const fault = findFault(row, value);
    if (fault === undefined) return value;
    // It was fine for the version that stored it: a setting that has changed its meaning must not stop the start.
    this.log.warn(
      { key: row.key, fault },
      'a setting that was changed at run time is not valid any more and is ignored',
    );
    return this.readLoaded(row.key);
  }

  private getSource(key: string): SettingSource {
    const loaded = this.loaded.sources.get(key) ?? 'default';
    return key in this.stored.values && loaded !== 'command line' ? 'run time' : loaded;
  }

  private readLoaded(key: string): unknown {
    return key
      .split('.')
      .reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], this.loaded.settings);
  }

  private describe(changes: Readonly<Record<string, unknown>>): string {
    return describeValues(
      Object.fromEntries(Object.keys(changes).map((key) => [key, this.values.get(key as SettingKey)])),
    );
  }

  private tell(key: SettingKey, value: unknown, oldValue: unknown): void {
    for (const watcher of this.watchers.get(key) ?? []) {
      try {
        (watcher as ConfigWatcher<unknown>)(value, oldValue);
      } catch (error) {
        // One watcher's fault is not the others': they must all see the change.
        this.log.error({ key, error }, 'a watcher of a setting threw');
      }
    }
  }
}

function describeValues(values: Readonly<Record<string, unknown>>): string {
  const visible = Object.entries(values).map(([key, value]) => [
    key,
    hideSecrets(rowOf.get(key)?.schema ?? {}, value) ?? null,
  ]);
  return JSON.stringify(Object.fromEntries(visible));
}
