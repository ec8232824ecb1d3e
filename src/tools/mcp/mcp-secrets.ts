import type { McpServerSetting } from './mcp.settings.js';

/** Shorter values (`1`, `true`, `/tmp`) are no secrets, and hiding them would spoil every text. */
const MIN_SECRET_LENGTH = 8;

/**
 * Returns a function that hides in a text the secrets of a server's setting, which a server or a proxy may repeat: the
 * values of its environment and of its headers, and what follows the scheme of a header (`Bearer SECRET`).
 */
export function createSecretHider({ env = {}, headers = {} }: McpServerSetting): (text: string) => string {
  const values = [...Object.values(env), ...Object.values(headers)];
  const secrets = [...values, ...values.map((value) => value.slice(value.indexOf(' ') + 1))]
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .toSorted((a, b) => b.length - a.length);
  return (text) => secrets.reduce((hidden, secret) => hidden.replaceAll(secret, '***'), text);
}
