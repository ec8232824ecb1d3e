import type { Scope } from '../../protocol/domain.js';
import type { SettingsStore, StoredSettings } from '../store/index.js';
import type { Log, Logs } from '../telemetry/logs.js';
import type { LoadedSettings, SettingSource } from './load-settings.js';
import { hideSecrets } from './secrets.js';
import {
  SettingsError,
  type SettingFault,
  type SettingKey,
  type SettingsReader,
  type SettingValue,
} from './section.js';
import { findFault } from './setting-values.js';
import type { SettingRow, SettingsSchema } from './settings-schema.js';
import { suggest } from './suggest.js';

/** Called with (new, old) after a setting has changed. */
export type ConfigWatcher<T> = (value: T, oldValue: T) => void;

/** A setting for operators; secrets are hidden. */
export interface SettingView {
  readonly key: string;
  readonly value: unknown;
  readonly source: SettingSource;
  /** True if a change comes into force with the next start. */
  readonly needsRestart: boolean;
  /** True if `value` is not in force yet, but will be with the next start. */
  readonly isPending: boolean;
  /** Held by those who may change it. */
  readonly scope: Scope;
  readonly description: string;
}

/** The outcome of a change. `stale`: the settings have been changed meanwhile; `version` is the current one. */
export type ChangeOutcome =
  | { readonly kind: 'changed'; readonly version: number; readonly needsRestart: readonly string[] }
  | { readonly kind: 'stale'; readonly version: number }
  | { readonly kind: 'invalid'; readonly faults: readonly SettingFault[] };

/**
 * The current settings. Read a setting each time it is needed, or watch it, so that changes at run time take effect. A
 * change is stored and takes precedence over file and environment; only the command line overrides it. A setting that
 * needs a restart (`x-restart`) keeps its value until then.
 *
 * Changes of earlier runs are in force after the start phase `configure`. A part must not keep what it reads before, for
 * example in its constructor.
 */
export class ConfigStoreService {
  private readonly schema: SettingsSchema;
  /** In force now. */
  private readonly values: Map<string, unknown>;
  /** In force after the next start. */
  private readonly next: Map<string, unknown>;
  /** Keys that were read before the changes of earlier runs were in force. */
  private readonly readEarly = new Set<string>();
  private readonly watchers = new Map<string, Set<ConfigWatcher<never>>>();
  private readonly log: Log;
  private store: SettingsStore | undefined;
  private stored: StoredSettings = { version: 0, values: {} };

  constructor(
    private readonly loaded: LoadedSettings,
    logs: Logs,
  ) {
    this.log = logs.for('config');
    this.schema = loaded.schema;
    this.values = new Map(Object.entries(loaded.values));
    this.next = new Map(this.values);
  }

  get<K extends SettingKey>(key: K): SettingValue<K> {
    if (this.store === undefined) this.readEarly.add(key);
    return this.values.get(key) as SettingValue<K>;
  }

  /** Grows with each change at run time. */
  get version(): number {
    return this.stored.version;
  }

  /** Lists all settings with their sources, in the order of the reference. */
  list(): readonly SettingView[] {
    return this.schema.rows
      .filter((row) => !row.schema['x-later'])
      .map((row) => ({
        key: row.key,
        value: hideSecrets(row.schema, this.next.get(row.key)),
        source: this.getSource(row.key),
        needsRestart: row.schema['x-restart'] === true,
        isPending: !isSame(this.next.get(row.key), this.values.get(row.key)),
        scope: this.scopeOf(row.key),
        description: row.schema.description ?? '',
      }));
  }

  /**
   * Changes one setting permanently, regardless of the version.
   * @throws SettingsError if the value is not allowed; GatewayError STORE_UNAVAILABLE
   */
  async set<K extends SettingKey>(key: K, value: SettingValue<K>, actor: string): Promise<void> {
    for (;;) {
      const outcome = await this.change(this.version, { [key]: value }, actor);
      if (outcome.kind === 'changed') return;
      if (outcome.kind === 'invalid') throw new SettingsError(outcome.faults);
    }
  }

  /** Returns the scope that a caller must hold to change `key`. */
  scopeOf(key: string): Scope {
    return this.schema.find(key)?.schema['x-scope'] ?? 'config:write';
  }

  /** Returns the settings as they would be after `changes` and a restart. They are not checked. */
  preview(changes: Readonly<Record<string, unknown>>): SettingsReader {
    return (key) => {
      const changed = changes[key];
      return (changed === null ? this.loaded.values[key] : (changed ?? this.next.get(key))) as never;
    };
  }

  /** Calls `watcher` after each change of `key`. Returns a function that unsubscribes it. */
  watch<K extends SettingKey>(key: K, watcher: ConfigWatcher<SettingValue<K>>): () => void {
    const watchers = this.watchers.get(key) ?? new Set();
    this.watchers.set(key, watchers.add(watcher));
    return () => watchers.delete(watcher);
  }

  /**
   * Applies the stored changes of earlier runs and makes changes possible.
   * @throws SettingsError if the settings violate a rule together with those changes
   */
  async open(store: SettingsStore): Promise<void> {
    const stored = await store.readSettings();
    this.adopt(stored);
    this.store = store;
    const faults = this.schema.checkRules((key) => this.get(key));
    if (faults.length > 0) throw new SettingsError(faults);
  }

  /** Applies changes made by other replicas. */
  async reload(): Promise<void> {
    if (this.store) this.adopt(await this.store.readSettings());
  }

  /**
   * Changes all given settings or none, if `version` is still the current one. Null removes an earlier change.
   * @param actor the principal, for the audit trail
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
      before: this.describe(Object.fromEntries(Object.keys(changes).map((key) => [key, this.next.get(key)]))),
      after: this.describe(changes),
    });
    if (!stored) {
      await this.reload();
      return { kind: 'stale', version: this.version };
    }
    this.log.info({ version: stored.version, keys: Object.keys(changes), actor }, 'settings changed');
    this.adopt(stored);
    // The command line sets it too: the change waits for a start without that argument.
    const wanted = this.preview(changes);
    const needsRestart = Object.keys(changes).filter((key) => !isSame(wanted(key as never), this.values.get(key)));
    return { kind: 'changed', version: stored.version, needsRestart };
  }

  private findFaults(changes: Readonly<Record<string, unknown>>): SettingFault[] {
    const faults = Object.entries(changes).flatMap(([key, value]) => {
      const row = this.schema.find(key);
      if (!row) return [{ key, message: `unknown setting${this.describeMeant(key)}` }];
      const reason = row.schema['x-start-only'];
      if (reason !== undefined) return [{ key, message: `cannot be changed at run time: ${reason}` }];
      const message = value === null ? undefined : findFault(row, value);
      return message === undefined ? [] : [{ key, message }];
    });
    if (faults.length > 0) return faults;
    return this.schema.checkRules(this.preview(changes));
  }

  /** Applies stored settings, unless they arrive late and are older than the current ones. */
  private adopt(stored: StoredSettings): void {
    if (stored.version < this.stored.version) return;
    this.stored = stored;
    for (const row of this.schema.rows) {
      const value = this.readEffective(row);
      this.next.set(row.key, value);
      const oldValue = this.values.get(row.key);
      if (isSame(value, oldValue) || (this.store !== undefined && row.schema['x-restart'])) continue;
      this.values.set(row.key, value);
      if (this.store === undefined) this.reportEarlyReader(row.key);
      this.notify(row.key, value, oldValue);
    }
  }

  /** Makes it known when a part of a team's module goes on with a value that is out of date. */
  private reportEarlyReader(key: string): void {
    if (!this.readEarly.has(key) || this.watchers.has(key)) return;
    this.log.warn(
      { key },
      'a setting was read before its change at run time was in force; its reader keeps the old value',
    );
  }

  private readEffective(row: SettingRow): unknown {
    const changed = this.stored.values[row.key];
    if (changed === undefined || this.loaded.sources.get(row.key) === 'command line')
      return this.loaded.values[row.key as SettingKey];
    const value: unknown = JSON.parse(changed);
    const fault = findFault(row, value);
    if (fault === undefined) return value;
    // The setting's schema has changed since it was stored. That must not prevent the start.
    this.log.warn({ key: row.key, fault }, 'a setting that was changed at run time is no longer valid and is ignored');
    return this.loaded.values[row.key as SettingKey];
  }

  private getSource(key: string): SettingSource {
    const loaded = this.loaded.sources.get(key) ?? 'default';
    return key in this.stored.values && loaded !== 'command line' ? 'run time' : loaded;
  }

  private describeMeant(key: string): string {
    const meant = suggest(
      key,
      this.schema.rows.map((row) => row.key),
    );
    return meant === undefined ? '' : `; did you mean ${meant}?`;
  }

  /** Returns values as JSON for the audit trail, without secrets. */
  private describe(values: Readonly<Record<string, unknown>>): string {
    const visible = Object.entries(values).map(([key, value]) => [
      key,
      hideSecrets(this.schema.find(key)?.schema ?? {}, value) ?? null,
    ]);
    return JSON.stringify(Object.fromEntries(visible));
  }

  private notify(key: string, value: unknown, oldValue: unknown): void {
    for (const watcher of this.watchers.get(key) ?? []) {
      try {
        (watcher as ConfigWatcher<unknown>)(value, oldValue);
      } catch (error) {
        // The other watchers must still be called.
        this.log.error({ key, error }, 'a watcher of a setting threw');
      }
    }
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
