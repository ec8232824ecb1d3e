import { isIP, type BlockList, type Socket } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { ReachService } from '../core/reach/reach.service.js';
import { includes, isLoopbackHost, normaliseAddress, parseNetworks } from './addresses.js';
import { readRequestFacts, type RequestFacts } from './request-facts.js';
import { TailscalePeers } from './tailscale-peers.js';

/** Why a request is refused before it is routed. */
export interface RuleFault {
  readonly status: 400 | 403 | 421 | 429 | 503;
  readonly reason: string;
}

/** Query parameters that would put a credential into a URL, which proxies, browsers and logs store. */
const CREDENTIAL_PARAMETERS = new Set([
  'token',
  'access_token',
  'auth',
  'auth_token',
  'authorization',
  'bearer',
  'api_key',
  'apikey',
  'jwt',
  'password',
  'secret',
]);

/**
 * The rules for `Host` and `Origin` (protocol.md section 1, security.md): by configured lists only, never by comparing
 * one header with the other.
 */
@Injectable()
export class RequestRulesService {
  private proxies: BlockList | undefined;

  constructor(
    private readonly config: ConfigStoreService,
    private readonly reach: ReachService,
    private readonly tailscale: TailscalePeers,
  ) {}

  /** Made at first use, when changes of earlier runs are in force. */
  private get trustedProxies(): BlockList {
    return (this.proxies ??= parseNetworks(this.config.get('gateway.trusted_proxies')));
  }

  readFacts(request: IncomingMessage): RequestFacts {
    return readRequestFacts(request, this.trustedProxies, this.tailscale.findWay(request.socket));
  }

  /** Returns whether a peer may speak for others: it is one of `gateway.trusted_proxies`, or Tailscale. */
  speaksForOthers(socket: Socket): boolean {
    const address = normaliseAddress(socket.remoteAddress ?? '');
    return includes(this.trustedProxies, address) || this.tailscale.findWay(socket) !== undefined;
  }

  /** True if the gateway is bound to an address that only this machine reaches. */
  get isBoundToLoopback(): boolean {
    return isLoopbackHost(this.config.get('gateway.host'));
  }

  /** Refuses a token in the query string, because URLs are logged and stored. */
  checkQuery(url: string): RuleFault | undefined {
    const start = url.indexOf('?');
    if (start === -1) return undefined;
    for (const name of new URLSearchParams(url.slice(start + 1)).keys()) {
      if (CREDENTIAL_PARAMETERS.has(name.toLowerCase())) {
        return {
          status: 400,
          reason: 'Credentials are not accepted in the query string; send Authorization: Bearer TOKEN',
        };
      }
    }
    return undefined;
  }

  /** Prevents DNS rebinding: a page that points its own name at this machine still sends that name as Host. */
  checkHost({ hosts }: RequestFacts): RuleFault | undefined {
    const [host] = hosts;
    if (hosts.length !== 1 || host === undefined) return { status: 400, reason: 'Exactly one Host header is required' };
    const parsed = parseHost(host);
    if (!parsed) return { status: 400, reason: 'The Host header is malformed' };
    if (this.isAllowedHost(parsed)) return undefined;
    return { status: 421, reason: 'This gateway does not serve that host name; see gateway.allowed_hosts' };
  }

  /** Refuses foreign web pages: browsers send the origin of a page, other programs send no Origin. */
  checkOrigin(facts: RequestFacts): RuleFault | undefined {
    if (!this.isForeignOrigin(facts)) return undefined;
    return { status: 403, reason: 'Pages of this origin may not use the gateway; see gateway.allowed_origins' };
  }

  /** Returns whether `gateway.allowed_origins` names an origin, of a web page or of an app, or it is the gateway's public one. */
  isListedOrigin(origin: string): boolean {
    if (this.reach.addresses.some((own) => own.origin === origin)) return true;
    return this.config.get('gateway.allowed_origins').some((allowed) => {
      // The origin of a URL with another scheme is "null", as is that of a sandboxed page.
      return allowed === origin || (/^https?:/.test(allowed) && URL.parse(allowed)?.origin === origin);
    });
  }

  isForeignOrigin(facts: RequestFacts): boolean {
    const { origin } = facts;
    if (origin === undefined) return false;
    if (this.isListedOrigin(origin)) return false;
    const { localPort } = facts;
    const port = localPort === 80 ? '' : `:${localPort}`;
    return !['localhost', '127.0.0.1', '[::1]'].some((name) => origin === `http://${name}${port}`);
  }

  /** Returns true when the Host is a loopback name, which open mode requires. */
  hasLoopbackHost({ hosts }: RequestFacts): boolean {
    const parsed = hosts.length === 1 ? parseHost(hosts[0] ?? '') : undefined;
    return parsed !== undefined && isLoopbackHost(parsed.name);
  }

  private isAllowedHost({ name, port }: HostName): boolean {
    if (isLoopbackHost(name) || name === this.config.get('gateway.host').toLowerCase()) return true;
    // Kubelet and Prometheus call by IP address, and rebinding needs a name.
    if (!this.isBoundToLoopback && isIP(name) !== 0) return true;
    const named = [...this.config.get('gateway.allowed_hosts'), ...this.reach.addresses.map((own) => own.hostname)];
    return named.some((allowed) => {
      const parsed = parseHost(allowed);
      return parsed?.name === name && (parsed.port === undefined || parsed.port === port);
    });
  }
}

interface HostName {
  /** In lower case, without brackets. */
  readonly name: string;
  readonly port: string | undefined;
}

/** Parses `name`, `name:port`, `[address]` or `[address]:port`. */
function parseHost(host: string): HostName | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/i.exec(host);
  const name = (match?.[1] ?? match?.[2])?.toLowerCase();
  return name === undefined ? undefined : { name, port: match?.[3] };
}
