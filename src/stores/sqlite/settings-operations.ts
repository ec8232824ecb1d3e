import type { DatabaseSync } from 'node:sqlite';
import { noteOfSettings } from '../../core/audit/audit-notes.js';
import type { Json, SettingsChange, StoredSettings } from '../../core/store/index.js';
import type { AuditTrail } from './audit-trail.js';
import { prepare, required } from './rows.js';

/** The operations of `SettingsStore`. */
export class SettingsOperations {
  private readonly selectVersion;
  private readonly selectSettings;
  private readonly raiseVersion;
  private readonly putSetting;
  private readonly deleteSetting;

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
  }

  read(): StoredSettings {
    const { version } = required(this.selectVersion.get());
    const values = this.selectSettings.all().map(({ key, value }) => [key, value] as const);
    return { version, values: Object.fromEntries(values) };
  }

  change(now: number, version: number, change: SettingsChange): StoredSettings | undefined {
    if (this.raiseVersion.run(version).changes === 0) return undefined;
    for (const [key, value] of Object.entries(change.values)) {
      if (value === null) this.deleteSetting.run(key);
      else this.putSetting.run(key, value);
    }
    this.audit.add(now, noteOfSettings(change));
    return this.read();
  }
}
