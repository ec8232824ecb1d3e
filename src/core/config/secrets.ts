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

/** Whether a schema marks a part as secret. A list of 10,000 entries without any is not copied. */
function holdsSecret(schema: object): boolean {
  const known = withSecret.get(schema) ?? JSON.stringify(schema).includes('"x-secret"');
  withSecret.set(schema, known);
  return known;
}

const withSecret = new WeakMap<object, boolean>();

/** Shorter values (`1`, `true`, `/tmp`) are not secrets, and hiding them would garble every text. */
const MIN_SECRET_LENGTH = 8;

/**
 * Returns a function that replaces secrets in a text with `***`. A server or a proxy may repeat what it was sent: the
 * values themselves, and what follows the scheme of a header (`Bearer SECRET`).
 */
export function createSecretHider(values: readonly string[]): (text: string) => string {
  const secrets = [...values, ...values.map((value) => value.slice(value.indexOf(' ') + 1))]
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .toSorted((a, b) => b.length - a.length);
  return (text) => secrets.reduce((hidden, secret) => hidden.replaceAll(secret, HIDDEN), text);
}
