import type { SettingFault } from './section.js';

/** The text that replaces secrets. */
export const HIDDEN = '***';

/** Returns `value` with all parts replaced that its schema marks as `x-secret`. */
export function hideSecrets(schema: object, value: unknown): unknown {
  if (value === undefined || value === null) return value;
  if ('x-secret' in schema) return HIDDEN;
  if (!holdsSecret(schema)) return value;
  if ('items' in schema && Array.isArray(value)) return value.map((item) => hideSecrets(schema.items as object, item));
  if (('properties' in schema || 'patternProperties' in schema) && typeof value === 'object') {
    const { properties = {}, patternProperties = {} } = schema as Record<string, Record<string, object>>;
    // The values of a map have one schema.
    const [ofAny = {}] = Object.values(patternProperties);
    return Object.fromEntries(
      Object.entries(value).map(([key, child]) => [key, hideSecrets(properties[key] ?? ofAny, child)]),
    );
  }
  return value;
}

/** Returns the texts in values of a setting that their schema marks as `x-secret`. */
export function listSecrets(schema: object, values: readonly unknown[]): string[] {
  return values.flatMap((value) => listSecretsIn(schema, value));
}

function listSecretsIn(schema: object, value: unknown): string[] {
  if (value === undefined || value === null || !holdsSecret(schema)) return [];
  if ('x-secret' in schema) return listTexts(value);
  if ('items' in schema && Array.isArray(value))
    return value.flatMap((item) => listSecretsIn(schema.items as object, item));
  if (typeof value !== 'object') return [];
  const { properties = {}, patternProperties = {} } = schema as Record<string, Record<string, object>>;
  const [ofAny = {}] = Object.values(patternProperties);
  return Object.entries(value).flatMap(([key, child]) => listSecretsIn(properties[key] ?? ofAny, child));
}

function listTexts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(listTexts) : [];
}

/**
 * Returns why a part of a setting cannot be set to a value at run time: it counts at the start only, or has the text that replaces
 * secrets in place of a secret, as a form sends it that saves what it was shown.
 */
export function findRefusals(
  key: string,
  row: { readonly schema: { readonly 'x-start-only'?: string } },
  schema: object,
  value: unknown,
): readonly SettingFault[] {
  const reason = row.schema['x-start-only'];
  if (reason !== undefined) return [{ key, message: `cannot be changed at run time: ${reason}` }];
  const message = `is shown as ${HIDDEN} and cannot be set to that: leave it out, or give the secret itself`;
  return findHidden(schema, value).map((pointer) => ({ key: `${key}${pointer}`, message }));
}

/** Returns where a value has the text that replaces secrets in place of a secret, as JSON pointers. */
function findHidden(schema: object, value: unknown, pointer = ''): readonly string[] {
  if (value === HIDDEN) return 'x-secret' in schema ? [pointer] : [];
  if (typeof value !== 'object' || value === null || !('x-secret' in schema || holdsSecret(schema))) return [];
  return Object.entries(value).flatMap(([key, child]) =>
    findHidden(schemaOf(schema, key), child, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  );
}

/** Returns the schema of a part of a value. The parts of a secret are secret. */
function schemaOf(schema: object, key: string): object {
  if ('x-secret' in schema) return { 'x-secret': true };
  const {
    items,
    properties = {},
    patternProperties = {},
  } = schema as {
    readonly items?: object;
    readonly properties?: Readonly<Record<string, object>>;
    readonly patternProperties?: Readonly<Record<string, object>>;
  };
  // The values of a map have one schema.
  return items ?? properties[key] ?? Object.values(patternProperties)[0] ?? {};
}

/** Returns whether a schema marks a part as secret. A list of 10,000 entries without any is not copied. */
function holdsSecret(schema: object): boolean {
  const known = withSecret.get(schema) ?? JSON.stringify(schema).includes('"x-secret"');
  withSecret.set(schema, known);
  return known;
}

const withSecret = new WeakMap<object, boolean>();

/** Shorter values (`1`, `true`, `/tmp`) are not secrets, and hiding them would garble every text. */
const MIN_SECRET_LENGTH = 8;

/** Length of a piece of a key that is hidden too: a server may repeat the beginning or the end of a key that it refuses. */
const MIN_PIECE_LENGTH = 8;
const MIN_KEY_LENGTH = 16;
const MIN_KEY_DIGITS = 3;

/** Longer values are hidden as they are and in pieces, but not in other forms: each form costs as much as the value. */
const MAX_ENCODED_LENGTH = 4_096;

/**
 * Returns a function that replaces secrets in a text with `***`. A server or a proxy may repeat what it was sent: the
 * values themselves, what follows the scheme of a header (`Bearer SECRET`), pieces of keys, and each of these in JSON, in
 * an address or in base64.
 * @param isInPieces false hides whole values only: in texts of the gateway itself a piece of a chosen key may be a word
 */
export function createSecretHider(values: readonly string[], isInPieces = true): (text: string) => string {
  let hidden: HiddenForms | undefined;
  return (text) => {
    hidden ??= listHidden(values, isInPieces);
    // Most texts have none.
    const shown = hidden.any.test(text)
      ? hidden.secrets.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text)
      : text;
    return hidePieces(shown, hidden.pieces);
  };
}

/** The texts to hide: whole secrets, the longest first, and pieces of keys. */
interface HiddenForms {
  readonly secrets: readonly string[];
  /** Matches any of them. */
  readonly any: RegExp;
  readonly pieces: ReadonlySet<string>;
}

function listHidden(values: readonly string[], isInPieces: boolean): HiddenForms {
  const plain = [...values, ...values.map((value) => value.slice(value.indexOf(' ') + 1))].filter(
    (secret) => secret.length >= MIN_SECRET_LENGTH,
  );
  const secrets = [...new Set(plain.flatMap(listForms))].toSorted((a, b) => b.length - a.length);
  return {
    secrets,
    any: secrets.length === 0 ? /(?!)/ : new RegExp(secrets.map((secret) => RegExp.escape(secret)).join('|')),
    pieces: new Set((isInPieces ? plain : []).filter(isKey).flatMap(listForms).flatMap(listPieces)),
  };
}

/** Returns a secret as it is, in JSON, in an address, and in base64 at each place of a longer text. */
function listForms(secret: string): string[] {
  if (secret.length > MAX_ENCODED_LENGTH) return [secret];
  const address = encodeURIComponent(secret.toWellFormed());
  const field = new URLSearchParams([['', secret]]).toString().slice(1);
  const encoded = [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
    // The first and the last characters depend on what surrounds the secret.
    const [first, end] = [Math.ceil((before * 4) / 3), Math.floor((bytes.length * 4) / 3)];
    return (['base64', 'base64url'] as const).map((encoding) => bytes.toString(encoding).slice(first, end));
  });
  const forms = [secret, JSON.stringify(secret).slice(1, -1), address, field, ...encoded];
  return [...new Set([...forms, address.replaceAll(/%../g, (code) => code.toLowerCase())])];
}

/** Returns whether a value looks like a key: the pieces of a path, an address or a name are words, which a text may have. */
function isKey(value: string): boolean {
  return (
    value.length >= MIN_KEY_LENGTH &&
    !/\s|:\/\/|^[./~]/.test(value) &&
    value.replaceAll(/\D/g, '').length >= MIN_KEY_DIGITS
  );
}

/** A piece that is the name of a secret, as `-api-key` is, is left: what follows the name in a text is hidden by it. */
const SECRET_NAME = /^[a-z_-]*(?:key|token|secret|passw)[a-z_-]*$/;

function listPieces(key: string): string[] {
  const starts = Array.from({ length: key.length - MIN_PIECE_LENGTH + 1 }, (_, start) => start);
  return starts.map((start) => key.slice(start, start + MIN_PIECE_LENGTH)).filter((piece) => !SECRET_NAME.test(piece));
}

function hidePieces(text: string, pieces: ReadonlySet<string>): string {
  if (pieces.size === 0) return text;
  let hidden = '';
  let shown = 0;
  for (let i = 0; i + MIN_PIECE_LENGTH <= text.length; i++) {
    if (!pieces.has(text.slice(i, i + MIN_PIECE_LENGTH))) continue;
    hidden += text.slice(shown, i) + HIDDEN;
    while (pieces.has(text.slice(i + 1, i + 1 + MIN_PIECE_LENGTH))) i++;
    shown = i + MIN_PIECE_LENGTH;
    i = shown - 1;
  }
  return hidden + text.slice(shown);
}

/** Returns foreign text as one line without control characters, of at most `maxLength` UTF-16 units. */
export function toOneLine(text: string, maxLength: number): string {
  return text
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, maxLength)
    .toWellFormed();
}
