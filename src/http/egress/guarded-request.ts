import { request as requestHttp, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { EgressDeniedError, type EgressGuard, type PinnedTarget } from './egress-guard.js';

const MAX_REDIRECTS = 5;
const MAX_HEADER_BYTES = 16_384;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Headers that are removed when a redirect leads to another origin. */
const PRIVATE_HEADERS = ['authorization', 'cookie', 'proxy-authorization'];

/** A request that a caller outside the gateway has chosen. */
export interface GuardedRequest {
  readonly url: string;
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** By lower-case name. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Maximum number of body bytes read, after decompression. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** The response, after redirects. */
export interface GuardedResponse {
  /** The URL after the last redirect. */
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** True when the body had more than `maxBytes`; the rest was not read. */
  readonly isTruncated: boolean;
}

/**
 * Requests a URL chosen by a caller outside the gateway. Checks it with the guard and follows up to five redirects,
 * each checked as well. Uses no proxy, no cookies and no credentials.
 *
 * Settles when the signal aborts, whatever the peer does: a socket that has left the HTTP client (a protocol switch, a
 * connection destroyed earlier) emits no further event that could settle it.
 * @throws EgressDeniedError; network errors; the reason of the signal
 */
export async function requestGuarded(guard: EgressGuard, asked: GuardedRequest): Promise<GuardedResponse> {
  asked.signal.throwIfAborted();
  return abortable(follow(guard, asked), asked.signal);
}

async function follow(guard: EgressGuard, asked: GuardedRequest): Promise<GuardedResponse> {
  let request = asked;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const target = await guard.check(request.url);
    request.signal.throwIfAborted();
    const response = await send(target, request);
    const location = REDIRECTS.has(response.statusCode ?? 0) ? response.headers.location : undefined;
    if (location === undefined) return readResponse(target.url, response, request);
    response.destroy();
    request = redirect(request, target.url, location, response.statusCode ?? 0);
  }
  throw new EgressDeniedError(`more than ${MAX_REDIRECTS} redirects`);
}

/** Settles like `promise`, or rejects with the reason of the signal. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function send(
  { url, lookup }: PinnedTarget,
  { method = 'GET', headers = {}, body, signal }: GuardedRequest,
): Promise<IncomingMessage> {
  const start = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const outgoing = start(
      url,
      // No agent: a kept-alive connection would be reused without a check of its address.
      {
        method,
        headers: { 'accept-encoding': 'gzip, deflate, br', ...headers },
        lookup,
        signal,
        agent: false,
        maxHeaderSize: MAX_HEADER_BYTES,
      },
      resolve,
    );
    // Without a listener, Node destroys the socket of a 101 response and emits nothing.
    outgoing.once('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('the host switches to another protocol, which was not requested'));
    });
    outgoing.once('error', (error) => reject(signal.aborted ? signal.reason : error));
    // Settles the promise if no other event has; has no effect after a response.
    outgoing.once('close', () => reject(new Error('the host closed the connection without a response')));
    outgoing.end(body);
  });
}

/** Follows a redirect as browsers do: only 307 and 308 keep method and body. */
function redirect(request: GuardedRequest, from: URL, location: string, status: number): GuardedRequest {
  const to = URL.parse(location, from);
  if (!to) throw new EgressDeniedError('a redirect has no valid URL');
  const { body, method = 'GET', headers = {}, ...rest } = request;
  const isSameOrigin = to.origin === from.origin;
  const kept = Object.entries(headers).filter(([name]) => isSameOrigin || !PRIVATE_HEADERS.includes(name));
  const next = { ...rest, url: to.href, headers: Object.fromEntries(kept) };
  if (status >= 307) return { ...next, method, ...(body && { body }) };
  return { ...next, method: method === 'HEAD' ? 'HEAD' : 'GET' };
}

function readResponse(
  url: URL,
  response: IncomingMessage,
  { method, maxBytes, signal }: GuardedRequest,
): Promise<GuardedResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<GuardedResponse>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = (isTruncated: boolean) => {
    const body = Buffer.concat(chunks).subarray(0, maxBytes);
    resolve({ url, status: response.statusCode ?? 0, headers: response.headers, body, isTruncated });
    response.destroy();
  };
  const body = method === 'HEAD' ? response : unpack(response);
  body.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBytes) {
      body.destroy();
      finish(true);
    }
  });
  body.once('end', () => finish(false));
  body.once('close', () => reject(new Error('the host closed the connection during its response')));
  for (const stream of [response, body])
    stream.on('error', (error: Error) => reject(signal.aborted ? signal.reason : error));
  return promise;
}

function unpack(response: IncomingMessage): Readable {
  const unpacker = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress }[
    response.headers['content-encoding']?.toLowerCase() ?? ''
  ];
  if (!unpacker || response.statusCode === 204 || response.statusCode === 304) return response;
  // Errors reach the decompressor, on which the reader listens.
  return pipeline(response, unpacker(), () => {});
}
