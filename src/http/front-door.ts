import type { IncomingMessage, ServerResponse } from 'node:http';
import { plainProblem, PROBLEM_MEDIA_TYPE } from './problem.js';
import type { RequestRulesService, RuleFault } from './request-rules.service.js';

/** Kubelet calls the probes by address, whatever address that is. */
const PROBES = new Set(['/health/live', '/health/ready', '/health/startup']);

/** Pages of other origins may ask for these; browsers keep the answer from them. */
const SAFE_METHODS = new Set(['GET', 'HEAD']);

/** Nothing may be loaded, framed or run, unless a page says otherwise for itself. */
const STRICT_POLICY = "default-src 'none'; frame-ancestors 'none'";
/** What the OpenAPI page needs: its own files, and styles that it writes itself. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

const SECURITY_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** What every HTTP request passes before anything else: security headers, and the rules for query, Host and Origin. */
export class FrontDoor {
  constructor(private readonly rules: RequestRulesService) {}

  /** `next` is called unless the request was turned away. */
  receive(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    const [path = ''] = (request.url ?? '').split('?', 1);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    response.setHeader(
      'Content-Security-Policy',
      path === '/docs' || path.startsWith('/docs/') ? DOCS_POLICY : STRICT_POLICY,
    );
    const fault = this.check(request, path);
    if (fault) turnAway(response, fault);
    else next();
  }

  private check(request: IncomingMessage, path: string): RuleFault | undefined {
    const facts = this.rules.readFacts(request);
    return (
      this.rules.checkQuery(request.url ?? '') ??
      (PROBES.has(path) && facts.hosts.length === 1 ? undefined : this.rules.checkHost(facts)) ??
      (SAFE_METHODS.has(request.method ?? '') ? undefined : this.rules.checkOrigin(facts))
    );
  }
}

function turnAway(response: ServerResponse, { status, reason }: RuleFault): void {
  // What the request still has to say is of no interest: read on, it would be taken for the next request.
  response.writeHead(status, { 'Content-Type': PROBLEM_MEDIA_TYPE, Connection: 'close' });
  response.end(JSON.stringify(plainProblem(status, reason)));
}
