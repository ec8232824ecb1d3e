import { getPart, pathOf } from '../../core/config/setting-parts.js';
import { suggest } from '../../core/config/suggest.js';
import { UsageError } from '../faults.js';

/** A setting, or a part of one (`providers.groq.base_url`), as the gateway reports it. */
export interface Setting {
  readonly key: string;
  readonly value: unknown;
  readonly source: string;
}

/** Returns the settings that a key names. @throws UsageError if there is none */
export function selectSettings(settings: readonly Setting[], key: string | undefined): readonly Setting[] {
  const found = findSettings(settings, key);
  if (found.length > 0 || key === undefined) return found;
  const outer = settings.find((setting) => isBelow(key, setting.key) && isMap(setting.value));
  if (outer) {
    const [name = ''] = pathOf(key, outer.key);
    const names = Object.keys(outer.value as object);
    const known = names.length === 0 ? 'it is empty' : `it has ${names.join(', ')}`;
    throw new UsageError(
      names.includes(name) ? `${key} is not set` : `There is no ${name} in ${outer.key}; ${known}`,
      'config',
    );
  }
  const meant = suggest(
    key,
    settings.map((setting) => setting.key),
  );
  throw new UsageError(`There is no setting ${key}${meant === undefined ? '' : `; did you mean ${meant}?`}`, 'config');
}

/** Returns all settings, those of a key or below it, or the part of a map that it names, field by field. */
export function findSettings(settings: readonly Setting[], key: string | undefined): readonly Setting[] {
  if (key === undefined) return settings;
  const found = settings.filter((setting) => setting.key === key || isBelow(setting.key, key));
  if (found.length > 0) return found;
  return settings.flatMap(({ key: outer, value, source }) => {
    const part = isBelow(key, outer) ? getPart(value, pathOf(key, outer)) : undefined;
    if (!isMap(part)) return part === undefined ? [] : [{ key, value: part, source }];
    const fields = Object.entries(part).map(([name, field]) => ({ key: `${key}.${name}`, value: field, source }));
    return fields.length > 0 ? fields : [{ key, value: part, source }];
  });
}

function isBelow(key: string, outer: string): boolean {
  return key.startsWith(`${outer}.`);
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
