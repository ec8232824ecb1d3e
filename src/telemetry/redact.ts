import { HIDDEN } from '../core/config/secrets.js';
import { TOKEN_PREFIX } from '../core/identity/token-prefix.js';

/**
 * Hides secrets in log lines: fields by name, tokens inside texts by pattern. This is the second line of defence; the
 * first is not to log secrets.
 */

/** Deeper or longer values are truncated, which also ends cycles. */
const MAX_DEPTH = 8;
const MAX_ENTRIES = 200;

/** Stands for what throws when it is read: getters, proxies. */
const UNREADABLE = '[unreadable]';

const SECRET_NAME =
  /(^|_)(tokens?|token_sha256|authorization|cookies?|api_?keys?|(pg)?passwords?|passwd|pwd|pass|passphrase|secrets?|(private|access|secret|signing|encryption|shared|account|subscription)_keys?|jwt|bearer|otp|assertion|code_verifier|credentials|id_token_hint)$/;

/** The ends of names of secrets in a text: `apiKey`, `PGPASSWORD`, `client_secret`. `tokens=12` is a number of tokens. */
const NAMES = String.raw`(?:tokens?(?!\W{1,4}\d{1,9}\b)|id_token_hint|password|passwd|pwd|passphrase|secret|(?:api|private|access|account|shared|signing|subscription)[_-]?key|sig|signature|jwt|assertion|code_verifier|credentials)`;

/** The beginnings of a run-time token in base64, one for each place in a longer text. */
const ENCODED_BEGINNINGS = [0, 1, 2].map((before) => {
  const bytes = Buffer.from(`${'x'.repeat(before)}${TOKEN_PREFIX}`);
  // The first and the last characters depend on what surrounds it.
  return bytes.toString('base64').slice(Math.ceil((before * 4) / 3), Math.floor((bytes.length * 4) / 3));
});

/** Lengths are bounded, so that no text is slow to search. */
const SECRET_TEXTS: readonly (readonly [secret: RegExp, replacement: string])[] = [
  // A JWT.
  [/\beyJ[\w-]{5,8192}\.[\w-]{2,8192}(?:\.[\w-]{0,8192})?/g, HIDDEN],
  // Authorization, the browser's subprotocol, cookies, other headers.
  [/\b(bearer\s+)[\w.~+/=-]{16,}/gi, `$1${HIDDEN}`],
  // A shorter one that is no word.
  [/\b([Bb]earer\s+)(?=[\w.~+/-]{0,15}[A-Z0-9])[\w.~+/=-]{8,}/g, `$1${HIDDEN}`],
  [
    /\b(authorization\\*"?\s{0,4}[:=]\s{0,4}\\*"?(?!bearer|basic)(?:(?:token|key|apikey|bot|digest|negotiate|splunk) )?)(?=[^\s"\\,;]{0,64}[A-Z\d])[^\s"\\,;]{6,8192}/g,
    `$1${HIDDEN}`,
  ],
  [
    /\b(authorization\\*"?\s{0,4}[:=]\s{0,4}\\*"?(?:token|key|apikey|bot|digest|negotiate|splunk) )[^\s"\\,;]+/gi,
    `$1${HIDDEN}`,
  ],
  [/\b(Basic )(?=[\w+/]{0,256}[\d=]|[\w+/]{1,256}[A-Z])[\w+/]{8,8192}={0,2}/g, `$1${HIDDEN}`],
  [/(openclaw\.bearer\.)[\w.~-]+/g, `$1${HIDDEN}`],
  [/\b((?:set-)?cookie\\*"?\s{0,4}[:=]\s{0,4}\\*"?)[^"\\\r\n]{1,8192}/gi, `$1${HIDDEN}`],
  [
    /\b((?:api-key|(?!idempotency|sort|foreign|public|primary|partition|cache|routing)[\w-]{1,40}-(?:key|token|secret|password|signature)|password|otp):\s{0,4})[^\s"\\,;]+/gi,
    `$1${HIDDEN}`,
  ],
  // A key in PEM, also with its line ends as escapes of JSON.
  [/(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----)(?:[\w+/=:,.\s-]|\\+[rn]){1,16384}/g, `$1${HIDDEN}`],
  // Addresses that are credentials: incoming webhooks, bots.
  [/(hooks\.slack\.com\/\w{1,20}\/)[\w/-]{1,512}/gi, `$1${HIDDEN}`],
  [/(\/api\/webhooks\/\d{1,24}\/)[\w-]{1,512}/gi, `$1${HIDDEN}`],
  [/(\/bot\d{4,16}:)[\w-]{1,512}/gi, `$1${HIDDEN}`],
  // Tokens that were made at run time: only their digests are known, and those of other replicas not even that.
  [new RegExp(String.raw`\b${TOKEN_PREFIX}[\w-]{16,8192}`, 'g'), HIDDEN],
  [new RegExp(String.raw`(?:${ENCODED_BEGINNINGS.join('|')})[\w+/-]{38,8192}`, 'g'), HIDDEN],
  // Sign-ins of pages and of device nodes.
  [/\b(page\.[0-9a-z]{4,16}\.)[\w-]{8,64}(?:\.[\w-]{8,128})?/g, `$1${HIDDEN}`],
  [/\b(node1\.[a-z0-9-]{1,64}\.\d{10,16}\.)[\w-]{8,128}\.[\w-]{8,128}/g, `$1${HIDDEN}`],
  // Keys of providers.
  [
    /\b((?:sk|pk|rk|gsk|xai|hf|gh[oprsu]|github_pat|glpat|xox[a-z]|xapp|npm|whsec|nvapi|r8)[-_])(?=[\w-]{0,256}\d)[\w-]{16,}/g,
    `$1${HIDDEN}`,
  ],
  [/\b(AIza|ya29\.|SG\.)[\w.-]{20,}/g, `$1${HIDDEN}`],
  // The user info of a URL, up to the last @ before a space: a password may have one itself. What follows a port is a path.
  [/(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@"\\]{0,256}:)(?!\d{1,5}[/?#])[^\s"\\]{1,512}(@)/gi, `$1${HIDDEN}$2`],
  [/(\b[a-z][a-z0-9+.-]{0,20}:\/\/)(?=[\w.~%-]{0,256}\d)[\w.~%-]{16,512}(@)/gi, `$1${HIDDEN}$2`],
  // Parameters of an address, a form or a connection string; JSON within a text.
  [
    /([?&](?:code|state|sig|signature|key|ticket)=)(?![a-z_]{1,24}(?![^&\s"\\])|E[A-Z]{3,20}\b)[^&\s"\\]+/g,
    `$1${HIDDEN}`,
  ],
  [new RegExp(String.raw`(${NAMES}(?:=|%3d))[^&\s"'\\,;]+`, 'gi'), `$1${HIDDEN}`],
  [new RegExp(String.raw`(${NAMES}\s?[=:]\s?\\*["'])[^"'\\]+`, 'gi'), `$1${HIDDEN}`],
  // A value that is no word, as in YAML and on a command line.
  [new RegExp(String.raw`(${NAMES}(?::\s|\s))(?=[^\s"'\\,;]{0,64}\d)[^\s"'\\,;]{8,8192}`, 'gi'), `$1${HIDDEN}`],
  [new RegExp(String.raw`(${NAMES}\\*"\s{0,4}:\s{0,4}\\*")[^"\\]+`, 'gi'), `$1${HIDDEN}`],
];

/** Something of this is in every text with such a secret, and is found faster. */
const SIGNS =
  /eyj|oct_|b2N0X|9jdF|vY3Rf|page\.|node1\.|bearer|basic |cookie|(?:sk|pk|rk|ai|hf|gh[oprsu]|pat|xox[a-z]|app|npm|sec|pi|r8)[-_]|aiza|ya29|sg\.|\/\/[^\s/]*@|:\/\/[^\s/]*@|[?&]\w*=|token(?!s\W{1,4}\d)|passw|pwd|passphrase|secret|key|jwt|assertion|verifier|credentials|authorization|signature|sig=|otp:|hooks\.slack|\/webhooks\/|\/bot\d/i;

/** Replaces text that looks like a credential. Never touches a quote or a backslash, so JSON stays valid. */
export function redactText(text: string): string {
  if (!SIGNS.test(text)) return text;
  return SECRET_TEXTS.reduce((redacted, [secret, replacement]) => redacted.replace(secret, replacement), text);
}

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
