import type { SettingsChange, SettingsStore, StoredSettings } from '../core/store/index.js';

/** A settings store in memory, which several services can share. */
export class MemorySettings implements SettingsStore {
  stored: StoredSettings = { version: 0, values: {} };
  readonly changes: SettingsChange[] = [];

  async readSettings(): Promise<StoredSettings> {
    return this.stored;
  }

  async changeSettings(version: number, change: SettingsChange): Promise<StoredSettings | undefined> {
    if (version !== this.stored.version) return undefined;
    this.changes.push(change);
    const values = Object.fromEntries(
      Object.entries({ ...this.stored.values, ...change.values }).filter(([, value]) => value !== null),
    );
    return (this.stored = { version: version + 1, values: values as Record<string, string> });
  }
}
