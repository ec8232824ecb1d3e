/** Shorter values (`1`, `true`, `/tmp`) are no secrets, and hiding them would spoil every text. */
const MIN_SECRET_LENGTH = 8;

/**
 * Returns a function that replaces secrets in a text with `***`. A server or a proxy may repeat what it was sent: the
 * values themselves, and what follows the scheme of a header (`Bearer SECRET`).
 */
export function createSecretHider(values: readonly string[]): (text: string) => string {
  const secrets = [...values, ...values.map((value) => value.slice(value.indexOf(' ') + 1))]
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .toSorted((a, b) => b.length - a.length);
  return (text) => secrets.reduce((hidden, secret) => hidden.replaceAll(secret, '***'), text);
}
