import { RefusedError, UnreachableError } from './faults.js';
import type { GatewayTarget } from './options.js';
import type { Terminal } from './terminal.js';

const TIMEOUT_MS = 10_000;

/** A request without its address and its headers. */
export type GatewayRequest = Omit<RequestInit, 'headers'>;

type RequestWithHeaders = GatewayRequest & { readonly headers?: Readonly<Record<string, string>> };

/**
 * Sends an HTTP request to the gateway, with the credential if there is one, about the tenant if one is named. Redirects are not followed, because the
 * credential is for this address only.
 * @throws UnreachableError when there is no response
 */
export async function request(
  terminal: Terminal,
  { url, token, tenant }: GatewayTarget,
  path: string,
  init: RequestWithHeaders = {},
  timeoutMs = TIMEOUT_MS,
): Promise<Response> {
  try {
    return await terminal.fetch(`${url}${nameTenant(path, tenant)}`, {
      ...init,
      headers: {
        accept: 'application/json',
        ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...init.headers,
      },
      redirect: 'error',
      signal: init.signal ?? AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    throw new UnreachableError(url, describeCause(error as Error, timeoutMs));
  }
}

function nameTenant(path: string, tenant: string | undefined): string {
  if (tenant === undefined) return path;
  return `${path}${path.includes('?') ? '&' : '?'}tenant=${encodeURIComponent(tenant)}`;
}

/**
 * Requests JSON from the gateway.
 * @throws UnreachableError; Error with the gateway's message
 */
export async function requestJson<T>(
  terminal: Terminal,
  target: GatewayTarget,
  path: string,
  init: GatewayRequest = {},
  timeoutMs = TIMEOUT_MS,
): Promise<T> {
  const response = await request(terminal, target, path, init, timeoutMs);
  if (!response.ok) throw await readFault(response, target, path);
  try {
    return (await response.json()) as T;
  } catch (error) {
    throw new Error(`${target.url} responded to ${path} without JSON`, { cause: error });
  }
}

/**
 * Requests content of any length. Only the head of the response must come within the time limit.
 * @throws UnreachableError; Error with the gateway's message
 */
export async function requestStream(
  terminal: Terminal,
  target: GatewayTarget,
  path: string,
  init: RequestWithHeaders = {},
  headTimeoutMs = TIMEOUT_MS,
): Promise<AsyncIterable<Uint8Array>> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new DOMException('late', 'TimeoutError')), headTimeoutMs);
  const signal = init.signal ? AbortSignal.any([init.signal, late.signal]) : late.signal;
  try {
    const response = await request(terminal, target, path, { ...init, signal });
    if (!response.ok) throw await readFault(response, target, path);
    if (response.body === null) throw new Error(`${target.url} responded to ${path} without content`);
    return response.body;
  } finally {
    clearTimeout(timer);
  }
}

/** Reads why the gateway refuses a request. */
async function readFault(response: Response, { url }: GatewayTarget, path: string): Promise<Error> {
  const body = (await response.json().catch(() => undefined)) as { readonly detail?: string } | undefined;
  return new RefusedError(body?.detail ?? `${url} responded to ${path} with HTTP ${response.status}`, response.status);
}

/**
 * Makes a request whose response has no content.
 * @throws UnreachableError; Error with the gateway's message
 */
export async function requestDone(
  terminal: Terminal,
  target: GatewayTarget,
  path: string,
  init: GatewayRequest,
): Promise<void> {
  const response = await request(terminal, target, path, init);
  if (!response.ok) throw await readFault(response, target, path);
}

/** Describes the cause in terms that a user can act on: `ECONNREFUSED`, `ENOTFOUND`, a timeout. */
function describeCause(error: Error, timeoutMs: number): string {
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1_000} s`;
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? cause?.message ?? error.message;
}
