import { HIDDEN } from '../core/config/secrets.js';

/**
 * Hides secrets in fields of log lines by their names. This is the second line of defence; the first is not to log
 * secrets. Tokens inside texts are hidden by `redactText`.
 */

/** Deeper or longer values are truncated, which also ends cycles. */
const MAX_DEPTH = 8;
const MAX_ENTRIES = 200;

/** Stands for what throws when it is read: getters, proxies. */
const UNREADABLE = '[unreadable]';

const SECRET_NAME =
  /(^|_)(tokens?|token_sha256|authorization|cookies?|api_?keys?|(pg)?passwords?|passwd|pwd|pass|passphrase|secrets?|(private|access|secret|signing|encryption|shared|account|subscription)_keys?|jwt|bearer|otp|assertion|code_verifier|credentials|id_token_hint)$/;

/**
 * Returns a plain copy of `fields` for the log: errors with type, stack and cause, secrets hidden, bytes and cycles
 * truncated. Never throws: what cannot be read becomes `[unreadable]`.
 */
export function toLogFields(fields: object): Record<string, unknown> {
  return attempt(() => copyEntries(fields, 0), { fields: UNREADABLE });
}

/** The values are those of any code, and reading them may call it. */
function attempt<T, U>(read: () => T, otherwise: U): T | U {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

function copy(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  // Not in JSON, unless it has a toJSON, which would be called.
  if (typeof value === 'function') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[deeper]';
  return attempt(() => copyObject(value, depth), UNREADABLE);
}

function copyObject(value: object, depth: number): unknown {
  if (attempt(() => isDatabaseError(value), false)) return copyDatabaseError(value as DatabaseError, depth);
  if (value instanceof Error) return copyError(value, depth);
  if (value instanceof Date) return Date.prototype.toJSON.call(value);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Map) return copyEntries(Object.fromEntries(value) as object, depth);
  if (Array.isArray(value) || value instanceof Set) return copyList([...(value as Iterable<unknown>)], depth);
  return copyEntries(value, depth);
}

function copyList(list: readonly unknown[], depth: number): unknown[] {
  // A pair of a name and a value, as in a list of headers.
  if (list.length === 2 && typeof list[0] === 'string' && isSecretName(list[0])) return [list[0], HIDDEN];
  const kept = list.slice(0, MAX_ENTRIES).map((child) => copy(child, depth + 1));
  return list.length > MAX_ENTRIES ? [...kept, `[${list.length - MAX_ENTRIES} more]`] : kept;
}

function copyEntries(source: object, depth: number): Record<string, unknown> {
  const names = Object.keys(source).slice(0, MAX_ENTRIES);
  return Object.fromEntries(names.map((name) => [name, copyField(source, name, depth)]));
}

function copyField(source: object, name: string, depth: number): unknown {
  const value: unknown = attempt(() => source[name as keyof typeof source], UNREADABLE);
  // Not numbers: `tokens` may be how many there were.
  return isSecretName(name) && typeof value !== 'number' ? HIDDEN : copy(value, depth + 1);
}

/** An error of a database, whose message and detail may repeat the values of a row. */
interface DatabaseError {
  readonly code: string;
  readonly constraint?: unknown;
  readonly table?: unknown;
  readonly stack?: unknown;
}

/** SQLSTATE, in an object with the fields that databases add. */
function isDatabaseError(value: object): value is DatabaseError {
  if (!('code' in value) || typeof value.code !== 'string' || !/^[0-9A-Z]{5}$/.test(value.code)) return false;
  return ['severity', 'detail', 'constraint', 'routine'].some((name) => name in value);
}

function copyDatabaseError(error: DatabaseError, depth: number): Record<string, unknown> {
  const [code, constraint, table, stack] = ['code', 'constraint', 'table', 'stack'].map((name) =>
    copyField(error, name, depth),
  );
  const frames = typeof stack === 'string' ? stack.split('\n').filter((line) => /^\s+at /.test(line)) : [];
  return { code, constraint, table, ...(frames.length > 0 && { stack: frames.join('\n') }) };
}

function copyError(error: Error, depth: number): Record<string, unknown> {
  const own = ['message', 'stack', 'errors', 'cause'].map((name) => [name, copyField(error, name, depth)] as const);
  return {
    type: copy(
      attempt(() => error.constructor.name, UNREADABLE),
      depth + 1,
    ),
    ...Object.fromEntries(own.filter(([, value]) => value !== undefined)),
    ...attempt(() => copyEntries(error, depth), {}),
  };
}

/** `apiKey`, `api_key`, `X-Api-Key` and `providers.x.api_key` are all secret names; `input_tokens` is not. */
function isSecretName(name: string): boolean {
  const words = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').replaceAll(/[^A-Za-z0-9]/g, '_');
  return SECRET_NAME.test(words.toLowerCase());
}
