import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { StartStep, type Undo } from '../core/lifecycle/steps.js';
import { FREE_BYTES, MemoryBudgetService, type Holding } from '../core/limits/memory-budget.service.js';
import { RateLimitsService } from '../core/limits/rate-limits.service.js';
import { Clock } from '../core/time/clock.js';
import { limitKey, normaliseAddress } from './addresses.js';
import type { GatewayHttpAdapter, HttpLimits } from './gateway-http.adapter.js';
import { hasEarlyBody } from './bodies/large-json-body.js';
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

/**
 * Limits HTTP connections for each address and what their exchanges hold in memory, and ends those that make no progress,
 * in either direction.
 */
@Injectable()
export class HttpTrafficService {
  private readonly counted = new WeakSet<Socket>();
  /** Connections that are one too many: their first request is refused. */
  private readonly excess = new Set<Socket>();
  private readonly bodies = new WeakMap<IncomingMessage, BodyProgress>();
  private readonly responses = new WeakMap<ServerResponse, Holding>();

  constructor(
    private readonly host: HttpAdapterHost<GatewayHttpAdapter>,
    private readonly rules: RequestRulesService,
    private readonly connections: RateLimitsService,
    private readonly budget: MemoryBudgetService,
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

  /**
   * Takes memory for a body that is read before anything is known about its sender, until the response has ended. Returns
   * false if there is not enough.
   */
  takeBody(request: IncomingMessage, response: ServerResponse, { clientAddress }: RequestFacts): boolean {
    const { maxBodyBytes } = this.host.httpAdapter.limits;
    const bytes = hasEarlyBody(request) ? Math.min(maxBodyBytes, sizeOfBody(request)) : 0;
    if (bytes <= FREE_BYTES) return true;
    const holding = this.budget.open('request', limitKey(clientAddress));
    response.once('close', () => holding.release());
    return holding.set(bytes);
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
    if (!this.mayHold(exchange)) return void socket.destroy();
    const isSending = socket.writableLength > 0 || response.writableLength > 0;
    const timeoutMs = isSending ? limits.responseStallMs : 0;
    // Node counts each byte that the peer takes as activity, and destroys the socket when there was none.
    if (socket.timeout !== timeoutMs) socket.setTimeout(timeoutMs);
  }

  /** Counts what the peer has not taken of its response. Returns false if that is too much. */
  private mayHold({ request, response, socket }: Exchange): boolean {
    const bytes = Math.max(socket.writableLength, response.writableLength);
    let holding = this.responses.get(response);
    if (!holding && bytes > FREE_BYTES) {
      const opened = this.budget.open('response', limitKey(this.rules.readFacts(request).clientAddress));
      this.responses.set(response, opened);
      response.once('close', () => opened.release());
      holding = opened;
    }
    return holding?.set(bytes) ?? true;
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

/** Returns the size that a request states for its body, in bytes; infinity if it states none. */
function sizeOfBody({ headers }: IncomingMessage): number {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity;
}

/** Answers as Node does for a head that is not complete in time. */
function refuseSlowBody({ socket, response }: Exchange): void {
  if (response.headersSent) socket.destroy();
  else socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n', () => socket.destroy());
}
