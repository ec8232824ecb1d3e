import { isLoopbackHost } from '../../http/addresses.js';
import type { EgressFetch, EgressInit } from '../../http/egress/egress-fetch.js';
import { readBeginning } from '../../http/egress/read-beginning.js';
import type { Clock } from '../../core/time/clock.js';

/** Maximum size of a document of an identity provider, in bytes. */
export const MAX_DOCUMENT_BYTES = 262_144;
/** Time limit of a request to an identity provider, its body included, in milliseconds. */
export const REQUEST_TIMEOUT_MS = 5_000;

const JSON_TYPE = /^application\/([a-z0-9.-]+\+)?json\b/i;

/** An identity provider responds, and not as it should: its message says what is wrong. */
export class IssuerFault extends Error {}

/** A response of an identity provider: a JSON object. */
export interface JsonResponse {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Returns whether a text is an address at which no other server can answer: https, or http on loopback. */
export function isSafeAddress(address: string): boolean {
  const url = URL.parse(address);
  if (!url || url.username !== '' || url.password !== '') return false;
  return (
    url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname.replace(/^\[|\]$/g, '')))
  );
}

/**
 * Requests a JSON object from an identity provider, within limits of size and time, without following redirects.
 * @throws Error that says what the server has done instead; IssuerFault if it has responded
 */
export async function requestJson(
  fetch: EgressFetch,
  clock: Clock,
  address: string,
  init: EgressInit = {},
): Promise<JsonResponse> {
  if (!isSafeAddress(address)) throw new Error(`${address} is neither https nor http on loopback`);
  const limit = new AbortController();
  const seconds = REQUEST_TIMEOUT_MS / 1_000;
  const cancel = clock.setTimer(REQUEST_TIMEOUT_MS, () =>
    limit.abort(new Error(`${address} has not responded within ${seconds} s`)),
  );
  const headers = { accept: 'application/json', ...Object.fromEntries(new Headers(init.headers)) };
  try {
    const response = await fetch(address, { ...init, headers, signal: limit.signal });
    return { status: response.status, body: await readBody(response, address) };
  } catch (error) {
    // A body that was cut off rejects with an error of its own.
    throw limit.signal.aborted ? limit.signal.reason : error;
  } finally {
    cancel();
  }
}

async function readBody(response: Response, address: string): Promise<JsonResponse['body']> {
  const { ok, status, headers } = response;
  const bytes = await readBeginning(response, MAX_DOCUMENT_BYTES + 1);
  if (status >= 300 && status < 400) throw new IssuerFault(`${address} redirects to another address (HTTP ${status})`);
  const fault = (what: string) =>
    new IssuerFault(`${address} has responded with ${ok ? '' : `HTTP ${status} and `}${what}`);
  const type = headers.get('content-type') ?? 'no type';
  if (!JSON_TYPE.test(type)) throw fault(`${type.slice(0, 64)} instead of JSON`);
  if (bytes.length > MAX_DOCUMENT_BYTES) throw fault(`more than ${MAX_DOCUMENT_BYTES} bytes`);
  const body = parse(bytes.toString());
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw fault('no JSON object');
  return body as JsonResponse['body'];
}

/** Returns undefined for a text that is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Requests a document. @throws Error, also for any status but 200 */
export async function requestDocument(
  fetch: EgressFetch,
  clock: Clock,
  address: string,
): Promise<JsonResponse['body']> {
  const { status, body } = await requestJson(fetch, clock, address);
  if (status !== 200) throw new IssuerFault(`${address} has responded with HTTP ${status}`);
  return body;
}
