import type { Json } from './records.js';

/** The settings changed at run time. */
export interface StoredSettings {
  /** Grows by one with each change; 0 before the first. */
  readonly version: number;
  /** Values by dotted key, as JSON. */
  readonly values: Readonly<Record<string, Json>>;
}

/** A change of settings by a principal. */
export interface SettingsChange {
  /** New values by dotted key, as JSON; null removes the stored value. */
  readonly values: Readonly<Record<string, Json | null>>;
  /** For the audit trail: the principal, and the values with secrets removed. */
  readonly actor: string;
  readonly before: Json;
  readonly after: Json;
}

/** A change of settings, with secrets. */
export interface SettingsVersion {
  /** The version that the change has made. */
  readonly version: number;
  /** Unix milliseconds. */
  readonly at: number;
  /** The principal. */
  readonly actor: string;
  /** The stored values before and after it, as JSON by dotted key; null where nothing is stored. */
  readonly before: Readonly<Record<string, Json | null>>;
  readonly after: Readonly<Record<string, Json | null>>;
}

/**
 * Stores the settings changed at run time. Calls reject with GatewayError STORE_UNAVAILABLE when the store cannot
 * answer.
 */
export abstract class SettingsStore {
  abstract readSettings(): Promise<StoredSettings>;

  /**
   * Compare-and-set: if `version` is not the stored one, changes nothing and resolves with undefined. The change and
   * its row in the audit trail are one commit.
   */
  abstract changeSettings(version: number, change: SettingsChange): Promise<StoredSettings | undefined>;

  /** Lists the changes that made the versions before `before`, the newest first. The last 500 are kept. */
  abstract listSettingsVersions(before: number, limit: number): Promise<readonly SettingsVersion[]>;
}
