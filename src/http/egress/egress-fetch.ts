import { Agent as HttpAgent, request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { isLoopbackHost } from '../addresses.js';

/** Time limit for a connection to a server or to its proxy, TLS included, in milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;
/** Statuses whose responses have no body (Fetch standard). */
const WITHOUT_BODY = new Set([101, 103, 204, 205, 304]);

/** A request in the terms of `fetch`; its body is text or bytes. */
export interface EgressInit {
  readonly method?: string;
  readonly headers?: RequestInit['headers'];
  readonly body?: unknown;
  readonly signal?: AbortSignal | null;
  /** `error` rejects a redirect; otherwise the redirect itself is the response. */
  readonly redirect?: string;
}

/** The part of `fetch` that clients of configured servers need. */
export type EgressFetch = (input: string | URL | Request, init?: EgressInit) => Promise<Response>;

/** The same with the response as Node has it. Its body must be read or destroyed. */
export type EgressRequest = (...request: Parameters<EgressFetch>) => Promise<IncomingMessage>;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Returns a `fetch` for servers that an operator has configured: providers of models, MCP servers. It differs from the
 * global one where that one cannot be set:
 * - a response may begin late and may be silent for as long as its caller waits; only connecting has a time limit;
 * - `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` (or their lower-case forms) take effect, except for loopback addresses;
 * - redirects are never followed.
 *
 * URLs that come from outside go through `requestGuarded` instead.
 */
export function createEgressFetch(environment?: Environment): EgressFetch {
  const request = createEgressRequest(environment);
  return async (...sent) => toResponse(await request(...sent));
}

function createEgressRequest(environment: Environment = process.env): EgressRequest {
  let agents: Readonly<Record<'direct' | 'proxied', Readonly<Record<string, HttpAgent>>>> | undefined;
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    init.signal?.throwIfAborted();
    agents ??= { direct: createAgents(), proxied: createAgents(environment) };
    const response = await send(url, init, agents[isLocal(url.hostname) ? 'direct' : 'proxied'][url.protocol]);
    const status = response.statusCode ?? 0;
    if (init.redirect === 'error' && status >= 300 && status < 400 && response.headers.location !== undefined) {
      response.destroy();
      throw new Error(`the server redirects to another address (HTTP ${status})`);
    }
    return response;
  };
}

/** Returns the agent for a WebSocket to such a server, with the same proxies; undefined for a loopback address. */
export function findEgressAgent(url: string, environment: Environment = process.env): HttpAgent | undefined {
  const { protocol, hostname } = new URL(url);
  return isLocal(hostname) ? undefined : createAgents(environment)[protocol === 'wss:' ? 'https:' : 'http:'];
}

/** The requests of this process. */
export const egressRequest = createEgressRequest();

/** The `fetch` of this process. */
export const egressFetch: EgressFetch = async (...sent) => toResponse(await egressRequest(...sent));

const isLocal = (hostname: string) => isLoopbackHost(hostname.replace(/^\[|\]$/g, ''));

function createAgents(proxyEnv?: Environment): Readonly<Record<string, HttpAgent>> {
  const options = { keepAlive: true, ...(proxyEnv && { proxyEnv: { ...proxyEnv } }) };
  return { 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) };
}

function send(url: URL, init: EgressInit, agent: HttpAgent | undefined): Promise<IncomingMessage> {
  const { method = 'GET', body, signal } = init;
  const headers = { 'accept-encoding': 'identity', ...Object.fromEntries(new Headers(init.headers)) };
  const start = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const outgoing = start(url, { method, headers, ...(agent && { agent }), ...(signal && { signal }) }, resolve);
    limitConnecting(outgoing);
    // Without a listener, Node destroys the socket of a 101 response and emits nothing.
    outgoing.once('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('the server switches to another protocol, which was not requested'));
    });
    outgoing.once('error', (error) => reject(signal?.aborted ? signal.reason : error));
    // Settles what no other event has settled; without effect after a response.
    outgoing.once('close', () => reject(new Error('the server closed the connection without a response')));
    if (typeof body === 'string' || body instanceof Uint8Array) outgoing.end(body);
    else outgoing.end();
  });
}

function limitConnecting(outgoing: ClientRequest): void {
  const timer = setTimeout(
    () => outgoing.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' })),
    CONNECT_TIMEOUT_MS,
  );
  const clear = () => clearTimeout(timer);
  outgoing.once('close', clear);
  outgoing.once('socket', (socket) => {
    if (!socket.connecting) clear();
    else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', clear);
  });
}

/** Returns a response as `fetch` has it. @param read returns its body; by default as it comes */
export function toResponse(
  incoming: IncomingMessage,
  read: (incoming: IncomingMessage) => ReadableStream<Uint8Array> = readAsItComes,
): Response {
  const status = incoming.statusCode ?? 0;
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  if (WITHOUT_BODY.has(status)) {
    incoming.resume();
    return new Response(null, { status, headers });
  }
  return new Response(read(incoming), { status, headers });
}

function readAsItComes(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  return Readable.toWeb(incoming) as ReadableStream<Uint8Array>;
}
