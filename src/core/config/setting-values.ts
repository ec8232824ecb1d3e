import { Compile, type Validator } from 'typebox/compile';
import Value from 'typebox/value';
import type { SettingFault } from './section.js';
import type { SettingRow } from './settings-schema.js';

const LATER = 'its feature is not part of this version; remove the setting';

/** Number of entries of a list or a map above which its schema is compiled. */
const MAX_INTERPRETED = 64;

/** The message of typebox for a property that `additionalProperties: false` refuses. */
const NO_SUCH_KEY = 'schema is false';

/**
 * Checks a value against its schema. Returns a message with what is wrong and what is allowed, and where in the value as a JSON
 * pointer; undefined if the value is valid. The message never contains the value, which may be secret.
 */
export function findFault(row: SettingRow, value: unknown): Omit<SettingFault, 'key'> | undefined {
  if (row.schema['x-later']) return { message: LATER };
  const error = findError(row.schema, value);
  return error && { message: describeError(row, value, error), at: error.instancePath };
}

function describeError(row: SettingRow, value: unknown, error: ValueError): string {
  const place = error.instancePath === '' ? '' : ` (at ${error.instancePath})`;
  if (error.message === NO_SUCH_KEY) {
    const parent = error.schemaPath.slice(0, error.schemaPath.lastIndexOf('/'));
    const keys = findPart(row, parent)['x-keys'];
    if (keys !== undefined) return `has a key that is not allowed${place}; allowed: ${keys}`;
    return `has an unknown key${place}; allowed: ${describePart(row, parent)}`;
  }
  if (findPart(row, error.schemaPath)['x-later']) return `${LATER}${place}`;
  return `${error.message}${place}; ${findHint(row, value, error)}allowed: ${describePart(row, error.schemaPath)}`;
}

/** A whole number above 999,999 as templates write it: an ID that had no quotes. */
const ROUNDED_ID = /^-?\d(\.\d+)?e\+\d+$/i;

/** Returns the likely cause of a fault, to be put before what is allowed. */
function findHint(row: SettingRow, value: unknown, { instancePath, schemaPath }: ValueError): string {
  const found = follow(value, instancePath);
  if (typeof found === 'string' && found !== found.trim()) return 'it begins or ends with a blank; ';
  const isNumber = typeof found === 'number' || (typeof found === 'string' && ROUNDED_ID.test(found));
  return isNumber && findPart(row, schemaPath).type === 'string' ? 'quote it; ' : '';
}

type PartSchema = SettingRow['schema'];
type ValueError = Pick<ReturnType<typeof Value.Errors>[number], 'instancePath' | 'schemaPath' | 'message'>;

/** Compiled schemas of long lists and maps: without one, checking 10,000 entries blocks the process for 0.2 s. */
const compiled = new WeakMap<PartSchema, Validator>();

function check(schema: PartSchema, value: unknown): boolean {
  const validator = compiled.get(schema) ?? Compile(schema);
  compiled.set(schema, validator);
  return validator.Check(value);
}

/** Returns the first error of a value. For a long list its entries are searched until one is wrong. */
function findError(schema: PartSchema, value: unknown): ValueError | undefined {
  if (!isLong(value)) return Value.Errors(schema, value)[0];
  if (check(schema, value)) return undefined;
  const { items, ...list } = schema;
  if (!items || !Array.isArray(value)) return Value.Errors(schema, value)[0];
  const [ofList] = Value.Errors(list, value);
  if (ofList) return ofList;
  const at = value.findIndex((entry) => !check(items, entry));
  const [error] = Value.Errors(items, value[at]);
  return (
    error && {
      instancePath: `/${at}${error.instancePath}`,
      schemaPath: error.schemaPath.replace('#', '#/items'),
      message: error.message,
    }
  );
}

function isLong(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > MAX_INTERPRETED;
}

/** Returns a description of the values that a setting accepts. */
export function describeAllowed({ schema }: SettingRow): string {
  if (schema.type === 'array') return 'a list (JSON in the environment)';
  if (schema.type === 'object') return 'a map (JSON in the environment)';
  return describeSchema(schema);
}

/** Returns a description of the values that one part of a setting accepts, for example the role of a token. */
function describePart(row: SettingRow, schemaPath: string): string {
  const part = findPart(row, schemaPath);
  return part === row.schema ? describeAllowed(row) : describeSchema(part);
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
    const { properties = {} } = schema as { properties?: Readonly<Record<string, SettingRow['schema']>> };
    const keys = Object.keys(properties).filter((name) => !properties[name]?.['x-later']);
    return keys.length === 0 ? 'a map' : `a map with ${keys.join(', ')}`;
  }
  return pattern ? `text that matches ${pattern}` : 'text';
}

/** Returns the part of a setting's schema at a path of typebox (`#/items/properties/role`). */
function findPart({ schema }: SettingRow, schemaPath: string): SettingRow['schema'] {
  return follow(schema, schemaPath.slice(1)) as SettingRow['schema'];
}

/** Follows a path whose keys may have slashes, which typebox does not escape. */
function follow(node: unknown, path: string): unknown {
  if (path === '') return node;
  const key = Object.keys(node as object).find((name) => path === `/${name}` || path.startsWith(`/${name}/`));
  return key === undefined ? node : follow((node as Record<string, unknown>)[key], path.slice(key.length + 1));
}

/**
 * Parses a value from the environment or the command line.
 * @throws Error if a list or a map is not JSON
 */
export function parseText({ schema }: Pick<SettingRow, 'schema'>, source: string): unknown {
  switch (schema.type) {
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
      return schema.enum?.find((value) => String(value) === source) ?? source;
  }
}

/** Returns whether two values of settings have the same JSON. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Sorts the change of a map before those of its parts. */
export function byLength([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one.length - other.length;
}
