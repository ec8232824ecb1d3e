import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpTrafficService } from './http-traffic.service.js';
import { plainProblem, PROBLEM_MEDIA_TYPE } from './problem.js';
import type { RequestFacts } from './request-facts.js';
import type { RequestRulesService, RuleFault } from './request-rules.service.js';

/** Kubelet calls the probes by IP address, which can be any. */
const PROBES = new Set(['/health/live', '/health/ready', '/health/startup']);

/** Pages of other origins may send these requests; browsers do not let them read the response. */
const SAFE_METHODS = new Set(['GET', 'HEAD']);

/** Nothing may be loaded, framed or run, unless a page sets its own policy. */
const STRICT_POLICY = "default-src 'none'; frame-ancestors 'none'";
/** The policy of the OpenAPI page: its own files, and the inline styles that it creates. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

const SECURITY_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
  // For caches that store what they must not: a response is for one credential.
  Vary: 'Authorization, Cookie, Origin',
};

/** For pages of `gateway.allowed_origins`. Cookies of browsers are never allowed: they count for the gateway's own pages alone. */
const CROSS_ORIGIN_HEADERS = {
  'Access-Control-Allow-Methods': 'GET, POST',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type',
  'Access-Control-Max-Age': '600',
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

const TOO_MANY_CONNECTIONS: RuleFault = { status: 429, reason: 'Too many connections from this address' };
const NUL = /%00/;
const NUL_IN_URL: RuleFault = { status: 400, reason: 'A URL must have no NUL: stores cannot keep it' };
const NO_MEMORY: RuleFault = { status: 503, reason: 'No memory for the body now; see limits.buffered_bytes' };
const RETRY_AFTER_SECONDS = '5';

/**
 * The first checks of every HTTP request: sets security headers and applies the limit of connections and the rules for
 * query, Host and Origin.
 */
export class FrontDoor {
  constructor(
    private readonly rules: RequestRulesService,
    private readonly traffic: HttpTrafficService,
  ) {}

  /** Calls `next` unless the request is refused. */
  receive(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    const [path = ''] = (request.url ?? '').split('?', 1);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    response.setHeader(
      'Content-Security-Policy',
      path === '/docs' || path.startsWith('/docs/') ? DOCS_POLICY : STRICT_POLICY,
    );
    const facts = this.rules.readFacts(request);
    const release = this.traffic.open(request, facts);
    if (release) response.once('close', release);
    let fault = release ? this.check(request, path, facts) : TOO_MANY_CONNECTIONS;
    if (!fault && !this.traffic.takeBody(request, response, facts)) fault = NO_MEMORY;
    if (fault) refuse(response, fault);
    else if (this.answerCrossOrigin(request, response, path, facts)) response.writeHead(204).end();
    else next();
  }

  /** Lets pages of listed origins use files. Returns whether the request is a preflight, which needs nothing else. */
  private answerCrossOrigin(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    { origin }: RequestFacts,
  ): boolean {
    if (path !== '/media' && !path.startsWith('/media/')) return false;
    if (origin === undefined || !this.rules.isListedOrigin(origin)) return false;
    for (const [name, value] of Object.entries(CROSS_ORIGIN_HEADERS)) response.setHeader(name, value);
    response.setHeader('Access-Control-Allow-Origin', origin);
    return request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
  }

  private check(request: IncomingMessage, path: string, facts: RequestFacts): RuleFault | undefined {
    return (
      (NUL.test(request.url ?? '') ? NUL_IN_URL : undefined) ??
      this.rules.checkQuery(request.url ?? '') ??
      (PROBES.has(path) && facts.hosts.length === 1 ? undefined : this.rules.checkHost(facts)) ??
      (SAFE_METHODS.has(request.method ?? '') ? undefined : this.rules.checkOrigin(facts))
    );
  }
}

function refuse(response: ServerResponse, { status, reason }: RuleFault): void {
  if (status === 503) response.setHeader('Retry-After', RETRY_AFTER_SECONDS);
  // Closes the connection: the unread rest of the request would be taken for the next request.
  response.writeHead(status, { 'Content-Type': PROBLEM_MEDIA_TYPE, Connection: 'close' });
  response.end(JSON.stringify(plainProblem(status, reason)));
}
