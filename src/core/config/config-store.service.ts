import type { Scope } from '../../protocol/domain.js';
import type { SettingsStore, StoredSettings } from '../store/index.js';
import type { Log, Logs } from '../telemetry/logs.js';
import type { LoadedSettings, SettingSource } from './load-settings.js';
import { nameChanges } from './name-change.js';
import { findRefusals, hideSecrets, listSecrets } from './secrets.js';
import {
  SettingsError,
  type SettingFault,
  type SettingKey,
  type SettingsReader,
  type SettingValue,
} from './section.js';
import { findPartSchema, findPathFaults, getPart, listChangedParts, pathOf, setPart } from './setting-parts.js';
import { byLength, findFault, isSame } from './setting-values.js';
import { describeValues, hideValue, type SettingView } from './setting-view.js';
import type { SettingRow, SettingsSchema } from './settings-schema.js';

/** New values by dotted key, of settings or of parts of them; null removes an earlier change. */
type Changes = Readonly<Record<string, unknown>>;

/** Called with (new, old) after a setting has changed. */
export type ConfigWatcher<T> = (value: T, oldValue: T) => void;

/** Finds faults of a change that only its surroundings show, for example a file that is missing. */
export type SettingsCheck = (before: SettingsReader, after: SettingsReader) => Promise<readonly SettingFault[]>;

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
  private readonly checks: SettingsCheck[] = [];
  private readonly log: Log;
  private store: SettingsStore | undefined;
  private stored: StoredSettings = { version: 0, values: {} };

  constructor(
    private loaded: LoadedSettings,
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

  /** The folder of the settings file, or where it would be. Relative paths in settings count from it. */
  get folder(): string {
    return this.loaded.folder;
  }

  /** Lists all settings with their sources, in the order of the reference. */
  list(): readonly SettingView[] {
    return this.schema.rows
      .filter((row) => !row.schema['x-later'])
      .map((row) => ({
        key: row.key,
        value: hideSecrets(row.schema, this.next.get(row.key)),
        source: this.sourceOf(row.key),
        needsRestart: row.schema['x-restart'] === true,
        isPending: !isSame(this.next.get(row.key), this.values.get(row.key)),
        scope: row.schema['x-scope'] ?? 'config:write',
        description: row.schema.description ?? '',
      }));
  }

  /** Lists the secrets in all settings, those in force and those of the next start, so that they can be hidden elsewhere. */
  listSecrets(): readonly string[] {
    return this.schema.rows.flatMap(({ key, schema }) =>
      listSecrets(schema, [this.values.get(key), this.next.get(key)]),
    );
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

  /** Returns the source of a setting, or of a part of one (`agents.ops.model`). */
  sourceOf(key: string): SettingSource {
    const loaded = this.loaded.sources.get(this.schema.locate(key)?.row.key ?? key) ?? 'default';
    const isChanged = Object.keys(this.stored.values).some(
      (stored) => this.schema.covers(key, stored) || this.schema.covers(stored, key),
    );
    return isChanged && loaded !== 'command line' ? 'run time' : loaded;
  }

  /** Returns the scopes that a caller must hold to make `changes`: those of the parts in which the settings differ. */
  scopesOf(changes: Changes): ReadonlySet<Scope> {
    const after = this.preview(changes);
    const scopes = Object.keys(changes).flatMap((key): Scope[] => {
      const row = this.schema.locate(key)?.row;
      if (!row) return ['config:write'];
      const parts = listChangedParts(row.schema, this.next.get(row.key), after(row.key as never));
      return parts.length > 0 ? parts.map(({ scope }) => scope) : [row.schema['x-scope'] ?? 'config:write'];
    });
    return new Set(scopes);
  }

  /** Returns the settings as they would be after `changes` and a restart. They are not checked. */
  preview(changes: Changes): SettingsReader {
    const changed = Map.groupBy(Object.entries(changes), ([key]) => this.schema.locate(key)?.row);
    return (key) => {
      const row = this.schema.find(key);
      const own = row && changed.get(row);
      if (!own) return this.next.get(key) as never;
      const kept = this.storedOf(row).filter(([name]) => !own.some(([outer]) => this.schema.covers(outer, name)));
      const values = [...kept.map(([name, json]) => [name, JSON.parse(json) as unknown] as const), ...own];
      return this.merge(
        row,
        values.filter(([, value]) => value !== null),
      ) as never;
    };
  }

  /** Returns why `changes` cannot be made; nothing if they can. */
  findFaults(changes: Changes): readonly SettingFault[] {
    const after = this.preview(changes);
    const faults = Object.entries(changes).flatMap(([key, value]) => {
      const place = this.schema.locate(key);
      if (!place) return [{ key, message: this.schema.describeUnknown(key) }];
      const { row } = place;
      const refused = findRefusals(key, row, findPartSchema(row.schema, place.path), value);
      if (refused.length > 0) return refused;
      const changed: unknown = after(row.key as never);
      // Without its earlier change a setting has the value of the start, which was checked.
      const fault = value === null && place.path.length === 0 ? undefined : findFault(row, changed);
      if (fault) return [{ key, ...fault }];
      return findPathFaults(row, this.next.get(row.key), changed, this.loaded);
    });
    if (faults.length > 0) return faults;
    return nameChanges(this.schema.checkRules(after), Object.keys(changes), {
      covers: (outer, key) => this.schema.covers(outer, key),
      without: (key) => this.schema.checkRules(this.preview(setPart(changes, [key], undefined) as Changes)),
    });
  }

  /** Calls `watcher` after each change of `key`. Returns a function that unsubscribes it. */
  watch<K extends SettingKey>(key: K, watcher: ConfigWatcher<SettingValue<K>>): () => void {
    const watchers = this.watchers.get(key) ?? new Set();
    this.watchers.set(key, watchers.add(watcher));
    return () => watchers.delete(watcher);
  }

  /** Has `check` called before each change whose values are valid. */
  addCheck(check: SettingsCheck): void {
    this.checks.push(check);
  }

  /**
   * Applies the stored changes of earlier runs, without those that the start removes, and makes changes possible.
   * @throws SettingsError if the settings violate a rule together with those changes
   */
  async open(store: SettingsStore): Promise<void> {
    this.adopt(await this.unset(store, await store.readSettings()));
    this.store = store;
    // Without those changes the settings were checked already.
    const faults = this.schema.checkRules((key) => this.get(key));
    if (faults.length > 0) throw new SettingsError(faults.map((fault) => this.nameSource(fault)));
  }

  /** Returns a fault of the start that says which changes at run time may cause it, and how they are removed. */
  nameSource({ key, message }: SettingFault): SettingFault {
    const all = Object.keys(this.stored.values);
    const [name = key] = key.split('[');
    const own = all.filter((stored) => this.schema.covers(stored, name) || this.schema.covers(name, stored));
    const keys = (own.length > 0 ? own : all).join(',');
    return { key, message: `${message} (source: run time, ${keys}; \`openclaw start --unset ${keys}\` removes it)` };
  }

  /** Removes the changes that the start shall remove, and records that. */
  private async unset(store: SettingsStore, stored: StoredSettings): Promise<StoredSettings> {
    const keys = Object.keys(stored.values).filter((key) =>
      (this.loaded.unset ?? []).some((unwanted) => this.schema.covers(unwanted, key)),
    );
    if (keys.length === 0) return stored;
    const removed = await store.changeSettings(stored.version, {
      values: Object.fromEntries(keys.map((key) => [key, null])),
      actor: 'command line',
      before: describeValues(
        this.schema,
        Object.fromEntries(keys.map((key) => [key, JSON.parse(stored.values[key] ?? 'null')])),
      ),
      after: describeValues(this.schema, Object.fromEntries(keys.map((key) => [key, null]))),
    });
    this.log.info({ keys }, 'changes of settings at run time were removed');
    return removed ?? this.unset(store, await store.readSettings());
  }

  /** The files that variables `*_FILE` name. */
  get secretFiles(): readonly string[] {
    return this.loaded.secretFiles;
  }

  /**
   * Applies what these files say now. Returns the keys of the settings that they change.
   * @param paths of those of {@link secretFiles} that are read; the others keep their text
   * @throws SettingsError, without any effect, if a value is not allowed
   */
  readFiles(paths: readonly string[]): readonly string[] {
    const before = this.loaded;
    const loaded = before.readAgain(paths);
    this.loaded = loaded;
    const rows = this.schema.rows.filter(
      ({ key }) => !isSame(before.values[key as SettingKey], loaded.values[key as SettingKey]),
    );
    const changed = new Map<string, unknown>(rows.map((row) => [row.key, this.readEffective(row)]));
    const read = (key: string) => (changed.has(key) ? changed.get(key) : this.next.get(key));
    const faults = this.schema.checkRules(read as SettingsReader);
    if (faults.length > 0) {
      this.loaded = before;
      throw new SettingsError(faults);
    }
    this.apply(rows);
    return rows.map(({ key }) => key);
  }

  /** Applies changes made by other replicas. */
  async reload(): Promise<void> {
    if (this.store) this.adopt(await this.store.readSettings());
  }

  /**
   * Changes all given settings or none, if `version` is still the current one. Null removes an earlier change. A change
   * of a map replaces earlier ones of its parts.
   * @param actor the principal, for the audit trail
   * @param permit called with the settings without and with the change once its values are valid; throws to refuse it
   * @throws GatewayError STORE_UNAVAILABLE; what `permit` throws
   */
  async change(
    version: number,
    changes: Changes,
    actor: string,
    permit: (before: SettingsReader, after: SettingsReader) => void = () => {},
  ): Promise<ChangeOutcome> {
    if (!this.store) throw new Error('the settings cannot be changed before the store is open');
    const faults = [...this.findFaults(changes)];
    if (faults.length === 0) {
      const [before, after] = [this.preview({}), this.preview(changes)];
      permit(before, after);
      for (const check of this.checks) faults.push(...(await check(before, after)));
    }
    if (faults.length > 0) return { kind: 'invalid', faults };
    const replaced = Object.keys(this.stored.values).filter((key) =>
      Object.keys(changes).some((changed) => this.schema.covers(changed, key)),
    );
    const values = Object.entries(changes).map(
      ([key, value]) => [key, value === null ? null : JSON.stringify(value)] as const,
    );
    const stored = await this.store.changeSettings(version, {
      values: Object.fromEntries([...replaced.map((key) => [key, null] as const), ...values]),
      actor,
      before: describeValues(
        this.schema,
        Object.fromEntries(Object.keys(changes).map((key) => [key, this.readNext(key)])),
      ),
      after: describeValues(this.schema, changes),
    });
    if (!stored) {
      await this.reload();
      return { kind: 'stale', version: this.version };
    }
    this.log.info({ version: stored.version, keys: Object.keys(changes), actor }, 'settings changed');
    this.adopt(stored);
    // The command line sets it too: the change waits for a start without that argument.
    const wanted = this.preview(changes);
    const needsRestart = Object.keys(changes).filter((key) => {
      const name = this.schema.locate(key)?.row.key ?? key;
      return !isSame(wanted(name as never), this.values.get(name));
    });
    return { kind: 'changed', version: stored.version, needsRestart };
  }

  /** Applies stored settings, unless they arrive late and are older than the current ones. */
  private adopt(stored: StoredSettings): void {
    if (stored.version < this.stored.version) return;
    const before = this.stored.values;
    this.stored = stored;
    const keys = Object.keys({ ...before, ...stored.values }).filter((key) => before[key] !== stored.values[key]);
    // The others keep their values; a large one takes time to check.
    const changed = new Set(keys.map((key) => this.schema.locate(key)?.row));
    this.apply(this.schema.rows.filter((candidate) => changed.has(candidate)));
  }

  /** Brings settings into force as they are stored and loaded now. */
  private apply(rows: readonly SettingRow[]): void {
    for (const row of rows) {
      const value = this.readEffective(row);
      this.next.set(row.key, value);
      const oldValue = this.values.get(row.key);
      if (isSame(value, oldValue) || (this.store !== undefined && row.schema['x-restart'])) continue;
      this.values.set(row.key, value);
      if (this.store === undefined) this.reportEarlyReader(row.key);
      this.notify(row.key, value, oldValue);
    }
  }

  /** Warns of a part of a team's module that keeps a value which is out of date. */
  private reportEarlyReader(key: string): void {
    if (!this.readEarly.has(key) || this.watchers.has(key)) return;
    this.log.warn(
      { key },
      'a setting was read before its change at run time was in force; its reader keeps the old value',
    );
  }

  private readEffective(row: SettingRow): unknown {
    if (this.loaded.sources.get(row.key) === 'command line') return this.loaded.values[row.key as SettingKey];
    const own = this.storedOf(row).map(([key, json]) => [key, JSON.parse(json) as unknown] as const);
    return this.merge(row, own, (key, changed) => {
      const fault = findFault(row, changed)?.message;
      // The setting's schema has changed since it was stored. That must not prevent the start.
      if (fault !== undefined)
        this.log.warn({ key, fault }, 'a setting that was changed at run time is no longer valid and is ignored');
      return fault === undefined;
    });
  }

  /** Returns the stored changes of a setting and of its parts, as JSON. */
  private storedOf(row: SettingRow): (readonly [key: string, json: string])[] {
    return Object.entries(this.stored.values).filter(([key]) => this.schema.locate(key)?.row === row);
  }

  /**
   * Returns the loaded value of a setting with changes of it and of its parts, the whole one first.
   * @param accepts whether the value that a change results in may be used; by default each
   */
  private merge(
    row: SettingRow,
    changes: readonly (readonly [key: string, part: unknown])[],
    accepts: (key: string, changed: unknown) => boolean = () => true,
  ): unknown {
    return changes.toSorted(byLength).reduce<unknown>(
      (value, [key, part]) => {
        const changed = setPart(value, pathOf(key, row.key), part);
        return accepts(key, changed) ? changed : value;
      },
      this.loaded.values[row.key as SettingKey],
    );
  }

  private readNext(key: string): unknown {
    const place = this.schema.locate(key);
    return place && getPart(this.next.get(place.row.key), place.path);
  }

  /** Returns a value of a setting, or of a part of one, without secrets. */
  hide(key: string, value: unknown): unknown {
    return hideValue(this.schema, key, value);
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
