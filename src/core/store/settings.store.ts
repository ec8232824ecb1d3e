import type { Json } from './records.js';

/** The settings that were changed at run time. */
export interface StoredSettings {
  /** Grows by one with each change; 0 when there was none. */
  readonly version: number;
  /** By dotted key, as JSON. */
  readonly values: Readonly<Record<string, Json>>;
}

/** A change of settings, and who made it. */
export interface SettingsChange {
  /** New values by dotted key, as JSON; null takes a change back. */
  readonly values: Readonly<Record<string, Json | null>>;
  /** For the audit trail: the principal, and the values without secrets. */
  readonly actor: string;
  readonly before: Json;
  readonly after: Json;
}

/** Keeps what was changed at run time. Rejects with GatewayError STORE_UNAVAILABLE when the store cannot answer. */
export abstract class SettingsStore {
  abstract readSettings(): Promise<StoredSettings>;

  /**
   * Compare and set: changes nothing and resolves with undefined unless `version` is the stored one. The change and its row in
   * the audit trail are one commit.
   */
  abstract changeSettings(version: number, change: SettingsChange): Promise<StoredSettings | undefined>;
}
