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
}
