import { createServer, type RequestListener, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { RequestHandler } from 'express';
import { ExpressAdapter } from '@nestjs/platform-express';
import { checkJson } from './bodies/check-json.js';
import { hasEarlyBody } from './bodies/large-json-body.js';
import { adviseListening } from './listen-address.js';
import { plainProblem, PROBLEM_MEDIA_TYPE } from './problem.js';
import { RequestLines, type Exchange } from './request-lines.js';

/** Limits of plain HTTP and of upgrade requests (protocol.md section 1). */
export interface HttpLimits {
  /** Time limit of the head of a request, and the period in which a body must make progress, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** The least progress of a body, averaged over `requestTimeoutMs`. */
  readonly minBodyBytesPerSecond: number;
  /** Time limit of a whole request, in milliseconds. */
  readonly bodyTimeoutMs: number;
  /** Time for which a peer may take nothing of its response, in milliseconds. */
  readonly responseStallMs: number;
  readonly maxHeaderBytes: number;
  readonly maxBodyBytes: number;
}

export const HTTP_LIMITS: HttpLimits = {
  requestTimeoutMs: 10_000,
  minBodyBytesPerSecond: 16_384,
  bodyTimeoutMs: 600_000,
  responseStallMs: 30_000,
  maxHeaderBytes: 16_384,
  maxBodyBytes: 262_144,
};

/** A layer of the router of Express. */
interface RouteLayer {
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> };
  match(path: string): boolean;
}

/** Time that running requests get once the server closes, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Nest on Express, with a server that limits the time and size of every request. Bodies are JSON only. */
export class GatewayHttpAdapter extends ExpressAdapter {
  private lines: RequestLines | undefined;

  constructor(readonly limits: HttpLimits) {
    super();
    this.disable('x-powered-by');
    this.disable('etag');
    this.set('query parser', 'simple');
  }

  override initHttpServer(): void {
    const routes = this.getInstance<RequestListener>();
    const lines = new RequestLines((request, response) => {
      if (request.url?.startsWith('/') === true) routes(request, response);
      else refuseTarget(response);
    });
    this.lines = lines;
    const server = createServer(createHttpServerOptions(this.limits), (...all) => lines.take(...all));
    this.httpServer = server.on('error', adviseListening);
  }

  /**
   * A path that is served with other methods is 405, and 204 for OPTIONS, with the methods in `Allow`. All other paths go
   * to `handler`, which responds with 404.
   */
  override setNotFoundHandler(...[handler, ...where]: Parameters<ExpressAdapter['setNotFoundHandler']>): void {
    const respond: RequestHandler = (request, response, next) => {
      const methods = this.listMethods(request.path);
      if (methods.length === 0) return void (handler as RequestHandler)(request, response, next);
      response.setHeader('Allow', methods.join(', '));
      if (request.method === 'OPTIONS') return void response.writeHead(204).end();
      const problem = plainProblem(
        405,
        `${request.path} is not served with ${request.method}, but with ${methods.join(', ')}`,
      );
      response.writeHead(405, { 'Content-Type': PROBLEM_MEDIA_TYPE }).end(JSON.stringify(problem));
    };
    super.setNotFoundHandler(respond, ...where);
  }

  /** The requests that are handled now, at most one for each connection. */
  underWay(): Iterable<Exchange> {
    return this.lines?.underWay() ?? [];
  }

  /**
   * Only JSON is parsed: browsers send forms across sites without a preflight request. Bodies that are costly to parse
   * are refused unparsed. Larger ones are read by {@link LargeJsonBody}.
   */
  override registerParserMiddleware(): void {
    const options = {
      type: hasEarlyBody,
      limit: this.limits.maxBodyBytes,
      verify: (_request: unknown, _response: unknown, body: Buffer) => checkJson(body.toString()),
    };
    this.useBodyParser('json', false, options);
  }

  /** Returns the methods of the routes of a path. */
  private listMethods(path: string): readonly string[] {
    const { router } = this.getInstance<{ readonly router: { readonly stack: readonly RouteLayer[] } }>();
    const routes = router.stack.filter((layer) => layer.route !== undefined && layer.match(path));
    const methods = new Set(
      routes.flatMap(({ route }) => Object.keys(route?.methods ?? {})).map((name) => name.toUpperCase()),
    );
    if (methods.has('GET')) methods.add('HEAD');
    return [...methods].sort();
  }

  /** Lets running requests finish, for a limited time. */
  override async close(): Promise<void> {
    const server = this.httpServer as Server;
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    const hurry = setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS);
    await closed;
    clearTimeout(hurry);
  }
}

/** Refuses a target that is not a path. Clients send those to proxies; routes and rules are for paths. */
function refuseTarget(response: ServerResponse): void {
  const problem = plainProblem(400, 'The target of a request is a path: this gateway is not a proxy');
  response.writeHead(400, { 'Content-Type': PROBLEM_MEDIA_TYPE, Connection: 'close' }).end(JSON.stringify(problem));
}

/** Returns options for `node:http`: slow requests get 408, too large headers get 431. */
export function createHttpServerOptions(limits: HttpLimits = HTTP_LIMITS): ServerOptions {
  return {
    headersTimeout: limits.requestTimeoutMs,
    requestTimeout: Math.max(limits.bodyTimeoutMs, limits.requestTimeoutMs),
    connectionsCheckingInterval: Math.ceil(limits.requestTimeoutMs / 10),
    maxHeaderSize: limits.maxHeaderBytes,
    // Other upgrades (curl offers HTTP/2) are declined by responding over HTTP/1.1.
    shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === 'websocket',
  };
}

/** Creates the HTTP adapter of the gateway, for `NestFactory.create(module, createHttpAdapter())`. */
export function createHttpAdapter(limits: Partial<HttpLimits> = {}): AbstractHttpAdapter {
  return new GatewayHttpAdapter({ ...HTTP_LIMITS, ...limits });
}
