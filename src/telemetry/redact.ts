import { HIDDEN } from '../core/config/secrets.js';

/**
 * Hides secrets in log lines: fields by name, tokens inside texts by pattern. This is the second line of defence; the
 * first is not to log secrets.
 */

/** Deeper or longer values are truncated, which also ends cycles. */
const MAX_DEPTH = 8;
const MAX_ENTRIES = 200;

const SECRET_NAME = /(^|_)(token|token_sha256|authorization|cookie|api_?key|password|passwd|secret|private_key)$/;

/**
 * `Bearer TOKEN`, the browser's subprotocol, keys of providers, a credential in a URL's query or user info. Each has a sign
 * that every text with such a secret contains and that is found faster than the secret.
 */
const SECRET_TEXTS: readonly (readonly [sign: RegExp, secret: RegExp, replacement: string])[] = [
  [/bearer/, /\b(bearer\s+)[\w.~+/=-]{16,}/gi, `$1${HIDDEN}`],
  [/bearer\./, /(openclaw\.bearer\.)[\w.~-]+/g, `$1${HIDDEN}`],
  [/(?:sk|pk|ai|hp|hf)[-_]/, /\b((?:sk|pk|gsk|xai|ghp|hf)[-_])[\w-]{16,}/g, `$1${HIDDEN}`],
  [
    /[?&]\w*(?:token|key|password|secret)=/,
    /([?&](?:access_|auth_)?(?:token|api_?key|password|secret)=)[^&\s"\\]+/gi,
    `$1${HIDDEN}`,
  ],
  [/:\/\/[^\s/]*@/, /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@"\\]*:)[^\s/@"\\]+(@)/gi, `$1${HIDDEN}$2`],
];
const SIGNS = new RegExp(SECRET_TEXTS.map(([sign]) => sign.source).join('|'), 'i');

/** Replaces text that looks like a credential. Never touches a quote or a backslash, so JSON stays valid. */
export function redactText(text: string): string {
  if (!SIGNS.test(text)) return text;
  return SECRET_TEXTS.reduce((redacted, [, secret, replacement]) => redacted.replace(secret, replacement), text);
}

/**
 * Returns a plain copy of `fields` for the log: errors with type, stack and cause, secrets hidden, bytes and cycles
 * truncated.
 */
export function toLogFields(fields: object): Record<string, unknown> {
  return copyEntries(fields, 0);
}

function copy(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (value instanceof Error) return copyError(value, depth);
  if (value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Map) return copyEntries(Object.fromEntries(value) as object, depth);
  if (Array.isArray(value) || value instanceof Set) {
    const list = [...(value as Iterable<unknown>)];
    const kept = list.slice(0, MAX_ENTRIES).map((child) => copy(child, depth + 1));
    return list.length > MAX_ENTRIES ? [...kept, `[${list.length - MAX_ENTRIES} more]`] : kept;
  }
  return copyEntries(value, depth);
}

function copyEntries(source: object, depth: number): Record<string, unknown> {
  const target: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(source).slice(0, MAX_ENTRIES)) {
    target[name] = isSecretName(name) ? HIDDEN : copy(value, depth + 1);
  }
  return target;
}

function copyError(error: Error, depth: number): Record<string, unknown> {
  return {
    type: error.constructor.name,
    message: error.message,
    stack: error.stack,
    ...copyEntries(error, depth),
    ...(error instanceof AggregateError ? { errors: copy(error.errors, depth + 1) } : {}),
    ...(error.cause === undefined ? {} : { cause: copy(error.cause, depth + 1) }),
  };
}

/** `apiKey`, `api_key`, `X-Api-Key` and `providers.x.api_key` are all secret names; `input_tokens` is not. */
function isSecretName(name: string): boolean {
  const words = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').replaceAll(/[^A-Za-z0-9]/g, '_');
  return SECRET_NAME.test(words.toLowerCase());
}
