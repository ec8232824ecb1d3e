import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { BadRequestException } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { checkSize } from '../protocol/codec.js';
import type { GatewayError } from '../protocol/index.js';

/** Limits of plain HTTP and of upgrade requests (protocol.md section 1). */
export interface HttpLimits {
  /** For the head of a request, and for all of it, in milliseconds. */
  readonly requestTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly maxBodyBytes: number;
}

export const HTTP_LIMITS: HttpLimits = { requestTimeoutMs: 10_000, maxHeaderBytes: 16_384, maxBodyBytes: 262_144 };

/** How long answers under way may take once the server closes, in milliseconds. */
const CLOSE_PATIENCE_MS = 1_000;

/** Nest on Express, with a server that gives nobody unlimited time or room. Bodies are JSON only. */
export class GatewayHttpAdapter extends ExpressAdapter {
  constructor(private readonly limits: HttpLimits) {
    super();
    this.disable('x-powered-by');
    this.disable('etag');
    this.set('query parser', 'simple');
  }

  override initHttpServer(): void {
    this.httpServer = createServer(createHttpServerOptions(this.limits), this.getInstance<RequestListener>());
  }

  /** A form can be posted across sites without asking; JSON cannot. What is costly to parse is refused unparsed. */
  override registerParserMiddleware(): void {
    const options = {
      limit: this.limits.maxBodyBytes,
      verify: (_request: unknown, _response: unknown, body: Buffer) => checkBody(body.toString()),
    };
    this.useBodyParser('json', false, options);
  }

  /** Answers that are under way may finish, for a while. */
  override async close(): Promise<void> {
    const server = this.httpServer as Server;
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    const hurry = setTimeout(() => server.closeAllConnections(), CLOSE_PATIENCE_MS);
    await closed;
    clearTimeout(hurry);
  }
}

function checkBody(body: string): void {
  try {
    checkSize(body);
  } catch (error) {
    const { reason } = (error as GatewayError<'INVALID_FRAME'>).details;
    throw new BadRequestException(`The body is not read: ${reason}`);
  }
}

/** For `node:http`: what is slow is answered with 408, what is too large with 431. */
export function createHttpServerOptions(limits: HttpLimits = HTTP_LIMITS): ServerOptions {
  return {
    headersTimeout: limits.requestTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: Math.ceil(limits.requestTimeoutMs / 10),
    maxHeaderSize: limits.maxHeaderBytes,
    // Upgrades to anything else (curl offers HTTP/2) are declined by answering the request as it is.
    shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === 'websocket',
  };
}

/** The HTTP side of the gateway, for `NestFactory.create(module, createHttpAdapter())`. */
export function createHttpAdapter(limits: Partial<HttpLimits> = {}): AbstractHttpAdapter {
  return new GatewayHttpAdapter({ ...HTTP_LIMITS, ...limits });
}
