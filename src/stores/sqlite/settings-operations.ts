import type { DatabaseSync } from 'node:sqlite';
import type { SettingsChange, StoredSettings } from '../../core/store/index.js';
import type { AuditTrail } from './audit-trail.js';
import { required } from './rows.js';

/** Settings that were changed at run time, with their audit trail. */
export class SettingsOperations {
  private readonly selectGateway;
  private readonly selectSettings;
  private readonly raiseVersion;
  private readonly putSetting;
  private readonly deleteSetting;

  constructor(
    database: DatabaseSync,
    private readonly audit: AuditTrail,
  ) {
    this.selectGateway = database.prepare('SELECT settings_version, secret FROM gateway');
    this.selectSettings = database.prepare('SELECT key, value FROM settings ORDER BY key');
    this.raiseVersion = database.prepare(
      'UPDATE gateway SET settings_version = settings_version + 1 WHERE settings_version = ?',
    );
    this.putSetting = database.prepare('INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)');
    this.deleteSetting = database.prepare('DELETE FROM settings WHERE key = ?');
  }

  readSettings(): StoredSettings {
    const version = required(this.selectGateway.get())['settings_version'] as number;
    const values = this.selectSettings.all().map((row) => [row['key'] as string, row['value'] as string] as const);
    return { version, values: Object.fromEntries(values) };
  }

  changeSettings(
    now: number,
    version: number,
    { values, actor, before, after }: SettingsChange,
  ): StoredSettings | undefined {
    if (this.raiseVersion.run(version).changes === 0) return undefined;
    for (const [key, value] of Object.entries(values)) {
      if (value === null) this.deleteSetting.run(key);
      else this.putSetting.run(key, value);
    }
    this.audit.add(now, actor, 'settings.change', JSON.parse(before), JSON.parse(after));
    return this.readSettings();
  }

  readSecret(): Uint8Array {
    return required(this.selectGateway.get())['secret'] as Uint8Array;
  }
}
