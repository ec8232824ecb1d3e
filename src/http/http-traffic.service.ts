import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { StartStep, type Undo } from '../core/lifecycle/steps.js';
import { RateLimitsService } from '../core/limits/rate-limits.service.js';
import { Clock } from '../core/time/clock.js';
import { limitKey, normaliseAddress } from './addresses.js';
import type { GatewayHttpAdapter, HttpLimits } from './gateway-http.adapter.js';
import type { RequestFacts } from './request-facts.js';
import type { Exchange } from './request-lines.js';
import { RequestRulesService } from './request-rules.service.js';

/** Maximum connections over their address's limit that get a 429 response; more are destroyed without one. */
const MAX_EXCESS = 100;

/** Gives back the place of a request that has none of its own. */
export function releaseNothing(): void {}

/** The bytes of a request body that had arrived at the beginning of a period. */
interface BodyProgress {
  readonly since: number;
  readonly bytesRead: number;
}

/** Limits HTTP connections for each address, and ends those that make no progress, in either direction. */
@Injectable()
export class HttpTrafficService {
  private readonly counted = new WeakSet<Socket>();
  /** Connections that are one too many: their first request is refused. */
  private readonly excess = new Set<Socket>();
  private readonly bodies = new WeakMap<IncomingMessage, BodyProgress>();

  constructor(
    private readonly host: HttpAdapterHost<GatewayHttpAdapter>,
    private readonly rules: RequestRulesService,
    private readonly connections: RateLimitsService,
    private readonly clock: Clock,
  ) {}

  @StartStep({ name: 'watch HTTP connections', phase: 'register', undoneIn: 'release' })
  start(): Undo {
    const { httpAdapter } = this.host;
    (httpAdapter.getHttpServer() as Server).on('connection', (socket) => this.count(socket));
    const { limits } = httpAdapter;
    return this.clock.setRepeating(Math.ceil(limits.requestTimeoutMs / 10), () => {
      for (const exchange of httpAdapter.underWay()) this.check(exchange, limits);
    });
  }

  /**
   * Takes a place among the connections of the client, for a request or an upgrade: for direct peers it is the one that
   * their socket has; the clients of trusted proxies and of Tailscale share sockets, so there each request takes one.
   * @returns a function that gives it back (idempotent; {@link releaseNothing} for direct peers), or undefined when the
   *   address has reached its limit
   */
  open({ socket }: IncomingMessage, { clientAddress }: RequestFacts): (() => void) | undefined {
    if (this.excess.has(socket)) return undefined;
    return this.counted.has(socket) ? releaseNothing : this.connections.openConnection(limitKey(clientAddress));
  }

  private count(socket: Socket): void {
    const address = normaliseAddress(socket.remoteAddress ?? '');
    if (this.rules.speaksForOthers(socket)) return;
    const release = this.connections.openConnection(limitKey(address));
    if (release) {
      this.counted.add(socket);
      // Not `once`, which would keep a wrapper for each connection; a socket closes once.
      socket.on('close', release);
    } else if (this.excess.size < MAX_EXCESS) {
      this.excess.add(socket);
      socket.once('close', () => this.excess.delete(socket));
    } else socket.destroy();
  }

  private check(exchange: Exchange, limits: HttpLimits): void {
    if (this.isTooSlow(exchange, limits)) return refuseSlowBody(exchange);
    const { socket, response } = exchange;
    const isSending = socket.writableLength > 0 || response.writableLength > 0;
    const timeoutMs = isSending ? limits.responseStallMs : 0;
    // Node counts each byte that the peer takes as activity, and destroys the socket when there was none.
    if (socket.timeout !== timeoutMs) socket.setTimeout(timeoutMs);
  }

  private isTooSlow({ request, socket }: Exchange, limits: HttpLimits): boolean {
    const before = this.bodies.get(request);
    const now = { since: this.clock.elapsed(), bytesRead: socket.bytesRead };
    const isOurTurn = request.complete || request.readableLength >= request.readableHighWaterMark;
    if (!before || isOurTurn) {
      this.bodies.set(request, now);
      return false;
    }
    const periodMs = now.since - before.since;
    if (periodMs < limits.requestTimeoutMs) return false;
    this.bodies.set(request, now);
    return now.bytesRead - before.bytesRead < (limits.minBodyBytesPerSecond * periodMs) / 1_000;
  }
}

/** Answers as Node does for a head that is not complete in time. */
function refuseSlowBody({ socket, response }: Exchange): void {
  if (response.headersSent) socket.destroy();
  else socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n', () => socket.destroy());
}
