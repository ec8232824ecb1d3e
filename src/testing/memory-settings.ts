import type { SettingsChange, SettingsStore, SettingsVersion, StoredSettings } from '../core/store/index.js';

/** A settings store in memory, which several services can share. */
export class MemorySettings implements SettingsStore {
  stored: StoredSettings = { version: 0, values: {} };
  readonly changes: SettingsChange[] = [];
  private readonly versions: SettingsVersion[] = [];

  async readSettings(): Promise<StoredSettings> {
    return this.stored;
  }

  async changeSettings(version: number, change: SettingsChange): Promise<StoredSettings | undefined> {
    if (version !== this.stored.version) return undefined;
    this.changes.push(change);
    const before = Object.fromEntries(Object.keys(change.values).map((key) => [key, this.stored.values[key] ?? null]));
    this.versions.unshift({ version: version + 1, at: 0, actor: change.actor, before, after: change.values });
    const values = Object.fromEntries(
      Object.entries({ ...this.stored.values, ...change.values }).filter(([, value]) => value !== null),
    );
    return (this.stored = { version: version + 1, values: values as Record<string, string> });
  }

  async listSettingsVersions(before: number, limit: number): Promise<readonly SettingsVersion[]> {
    return this.versions.filter(({ version }) => version < before).slice(0, limit);
  }
}
