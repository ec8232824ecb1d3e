import Value from 'typebox/value';
import type { SettingRow } from './settings-schema.js';

const LATER = 'its feature is not part of this version; remove the setting';

/** The message of typebox for a property that `additionalProperties: false` refuses. */
const NO_SUCH_KEY = 'schema is false';

/**
 * Checks a value against its schema. Returns a message with what is wrong and what is allowed, or undefined. The
 * message never contains the value, which may be secret.
 */
export function findFault(row: SettingRow, value: unknown): string | undefined {
  if (row.schema['x-later']) return LATER;
  const [error] = Value.Errors(row.schema, value);
  if (!error) return undefined;
  const place = error.instancePath === '' ? '' : ` (at ${error.instancePath})`;
  if (error.message === NO_SUCH_KEY) {
    if (row.schema['x-later-below']) return `${LATER}${place}`;
    const parent = error.schemaPath.slice(0, error.schemaPath.lastIndexOf('/'));
    return `has an unknown key${place}; allowed: ${describePart(row, parent)}`;
  }
  const blank = typeof value === 'string' && value !== value.trim() ? 'it begins or ends with a blank; ' : '';
  return `${error.message}${place}; ${blank}allowed: ${describePart(row, error.schemaPath)}`;
}

/** Returns a description of the values that a setting accepts. */
export function describeAllowed({ schema }: SettingRow): string {
  if (schema.type === 'array') return 'a list (JSON in the environment)';
  if (schema.type === 'object') return 'a map (JSON in the environment)';
  return describeSchema(schema);
}

/** Returns a description of the values that one part of a setting accepts, for example the role of a token. */
function describePart(row: SettingRow, schemaPath: string): string {
  const part = findPart(row.schema, schemaPath.slice(1));
  return part === row.schema ? describeAllowed(row) : describeSchema(part as SettingRow['schema']);
}

function describeSchema(schema: SettingRow['schema']): string {
  const { type, enum: values, minimum, maximum, pattern } = schema;
  if (values) return values.join(', ');
  if (type === 'integer' || type === 'number') {
    const kind = type === 'integer' ? 'a whole number' : 'a number';
    return `${kind}${minimum === undefined ? '' : ` from ${minimum}`}${maximum === undefined ? '' : ` to ${maximum}`}`;
  }
  if (type === 'boolean') return 'true or false';
  if (type === 'array') return 'a list';
  if (type === 'object') {
    const keys = Object.keys((schema as { properties?: object }).properties ?? {});
    return keys.length === 0 ? 'a map' : `a map with ${keys.join(', ')}`;
  }
  return pattern ? `text that matches ${pattern}` : 'text';
}

/** Follows a path of typebox, which does not escape the slashes of keys. */
function findPart(node: unknown, path: string): unknown {
  if (path === '') return node;
  const key = Object.keys(node as object).find((name) => path === `/${name}` || path.startsWith(`/${name}/`));
  return key === undefined ? node : findPart((node as Record<string, unknown>)[key], path.slice(key.length + 1));
}

/**
 * Parses a value from the environment or the command line.
 * @throws Error if a list or a map is not JSON
 */
export function parseText(row: SettingRow, source: string): unknown {
  switch (row.schema.type) {
    case 'integer':
    case 'number':
      return source.trim() === '' || Number.isNaN(Number(source)) ? source : Number(source);
    case 'boolean':
      return source === 'true' ? true : source === 'false' ? false : source;
    case 'array':
    case 'object':
      try {
        return JSON.parse(source);
      } catch {
        throw new Error('is not JSON');
      }
    default:
      return source;
  }
}
