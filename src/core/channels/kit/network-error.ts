import { DeliveryError } from '../driver.js';

/** Codes of errors after which the server has certainly not seen the request. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH', 'ETIMEDOUT']);

/**
 * Returns an error of the network as a driver throws it. Only its code is kept: its message and its causes may contain the
 * URL, and with it a secret.
 */
export function toNetworkError(error: unknown, platform: string): DeliveryError {
  const code = findCode(error);
  return new DeliveryError(NOT_SENT.has(code) ? 'not_sent' : 'unknown', `no response of ${platform}: ${code}`);
}

function findCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown';
  const { code, error: inner, cause, name } = error as Record<string, unknown>;
  if (typeof code === 'string') return code;
  if (inner !== undefined || cause !== undefined) return findCode(inner ?? cause);
  return typeof name === 'string' ? name : 'unknown';
}

/** Reads the body of a response. Its errors are those of {@link toNetworkError}. */
export async function* readBody(body: AsyncIterable<Uint8Array>, platform: string): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw toNetworkError(error, platform);
  }
}
