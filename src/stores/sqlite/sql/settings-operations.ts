import type { DatabaseSync } from 'node:sqlite';
import { noteOfSettings } from '../../../core/audit/audit-notes.js';
import type { Json, SettingsChange, SettingsVersion, StoredSettings } from '../../../core/store/index.js';
import type { AuditTrail } from './audit-trail.js';
import { prepare, required } from './statement.js';

/** Number of versions whose changes are kept. */
const MAX_VERSIONS = 500;

interface VersionRow extends Omit<SettingsVersion, 'before' | 'after'> {
  readonly before: Json;
  readonly after: Json;
}

/** The operations of `SettingsStore`. */
export class SettingsOperations {
  private readonly selectVersion;
  private readonly selectSettings;
  private readonly raiseVersion;
  private readonly putSetting;
  private readonly deleteSetting;
  private readonly selectSetting;
  private readonly insertVersion;
  private readonly deleteVersions;
  private readonly selectVersions;

  constructor(
    database: DatabaseSync,
    private readonly audit: AuditTrail,
  ) {
    this.selectVersion = prepare<{ version: number }>(database, 'SELECT settings_version AS version FROM gateway');
    this.selectSettings = prepare<{ key: string; value: Json }>(
      database,
      'SELECT key, value FROM settings ORDER BY key',
    );
    this.raiseVersion = prepare(
      database,
      'UPDATE gateway SET settings_version = settings_version + 1 WHERE settings_version = ?',
    );
    this.putSetting = prepare(database, 'INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)');
    this.deleteSetting = prepare(database, 'DELETE FROM settings WHERE key = ?');
    this.selectSetting = prepare<{ value: Json }>(database, 'SELECT value FROM settings WHERE key = ?');
    this.insertVersion = prepare(
      database,
      'INSERT OR REPLACE INTO settings_history (version, at, actor, before, after) VALUES (?, ?, ?, ?, ?)',
    );
    this.deleteVersions = prepare(database, 'DELETE FROM settings_history WHERE version <= ?');
    this.selectVersions = prepare<VersionRow>(
      database,
      'SELECT version, at, actor, before, after FROM settings_history WHERE version < ? ORDER BY version DESC LIMIT ?',
    );
  }

  read(): StoredSettings {
    const { version } = required(this.selectVersion.get());
    const values = this.selectSettings.all().map(({ key, value }) => [key, value] as const);
    return { version, values: Object.fromEntries(values) };
  }

  change(now: number, version: number, change: SettingsChange): StoredSettings | undefined {
    if (this.raiseVersion.run(version).changes === 0) return undefined;
    const before = Object.entries(change.values).map(([key]) => [key, this.selectSetting.get(key)?.value ?? null]);
    for (const [key, value] of Object.entries(change.values)) {
      if (value === null) this.deleteSetting.run(key);
      else this.putSetting.run(key, value);
    }
    const made = version + 1;
    const texts = [JSON.stringify(Object.fromEntries(before)), JSON.stringify(change.values)] as const;
    this.insertVersion.run(made, now, change.actor, ...texts);
    this.deleteVersions.run(made - MAX_VERSIONS);
    this.audit.add(now, noteOfSettings(change));
    return this.read();
  }

  listVersions(before: number, limit: number): SettingsVersion[] {
    return this.selectVersions.all(before, limit).map(({ before: earlier, after, ...row }) => ({
      ...row,
      before: JSON.parse(earlier) as SettingsVersion['before'],
      after: JSON.parse(after) as SettingsVersion['after'],
    }));
  }
}
