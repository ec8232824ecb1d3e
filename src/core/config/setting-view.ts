import type { Scope } from '../../protocol/domain.js';
import type { SettingSource } from './load-settings.js';
import { hideSecrets } from './secrets.js';
import { findPartSchema } from './setting-parts.js';
import type { SettingsSchema } from './settings-schema.js';

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

/** Returns a value of a setting, or of a part of one, without secrets. */
export function hideValue(schema: SettingsSchema, key: string, value: unknown): unknown {
  const place = schema.locate(key);
  return hideSecrets(place ? findPartSchema(place.row.schema, place.path) : {}, value) ?? null;
}

/** Returns values by key as JSON for the audit trail, without secrets. */
export function describeValues(schema: SettingsSchema, values: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, hideValue(schema, key, value)])),
  );
}
