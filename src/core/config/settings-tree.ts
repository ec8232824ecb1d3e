import type { SettingsReader } from './section.js';
import type { SettingsSchema } from './settings-schema.js';

/**
 * Returns the settings as nested objects with getters of the current values, for `ConfigService` of `@nestjs/config`.
 * The keys of the root are not enumerable, so that nothing copies settings into `process.env`.
 */
export function createSettingsTree(schema: SettingsSchema, get: SettingsReader): Record<string, unknown> {
  const root = createNode(schema, get, '', false);
  // A setting below a map (`channels.acme.token`) is available under its full key only.
  for (const { key } of schema.rows) {
    if (key.includes('.')) Object.defineProperty(root, key, { get: () => get(key as never) });
  }
  return root;
}

function createNode(schema: SettingsSchema, get: SettingsReader, prefix: string, enumerable = true) {
  const below = schema.rows.filter(({ key }) => key.startsWith(prefix));
  const node: Record<string, unknown> = {};
  for (const name of new Set(below.map(({ key }) => key.slice(prefix.length).split('.')[0] ?? ''))) {
    const key = prefix + name;
    const part = schema.find(key)
      ? { get: () => get(key as never) as unknown }
      : { value: createNode(schema, get, `${key}.`) };
    Object.defineProperty(node, name, { ...part, enumerable });
  }
  return node;
}
