import type { IncomingMessage } from 'node:http';
import {
  BadRequestException,
  PayloadTooLargeException,
  UnsupportedMediaTypeException,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { Observable } from 'rxjs';
import { checkSize } from '../protocol/codec.js';
import type { GatewayError } from '../protocol/index.js';

type JsonRequest = IncomingMessage & { body?: unknown };

/** Maximum size of the bodies that may be larger than others, in bytes, by request. */
const MAX_BYTES: ReadonlyMap<string, number> = new Map([
  // Room for more than 10,000 bindings.
  ['PATCH /admin/v1/config', 4_194_304],
]);

/** Requests whose signature covers the bytes of their body: they are read by {@link readRawBody}. */
const SIGNED = /^POST \/channels\/(?:slack|whatsapp)\//;

const JSON_TYPE = /^application\/json\s*(;|$)/i;

/** Returns whether a request has a JSON body that is read before anything is known about its sender. */
export function hasEarlyBody(request: IncomingMessage): boolean {
  return isJson(request) && findMaxBytes(request) === undefined && !SIGNED.test(describe(request));
}

function findMaxBytes(request: IncomingMessage): number | undefined {
  return MAX_BYTES.get(describe(request));
}

/** Returns the method and the path of a request. */
function describe({ method, url = '' }: IncomingMessage): string {
  return `${method} ${url.split('?', 1)[0]}`;
}

/**
 * Reads a JSON body that may be larger than others. An interceptor runs after the guards, so that nothing is read, and
 * nothing parsed, for a request without a credential.
 */
export class LargeJsonBody implements NestInterceptor {
  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<JsonRequest>();
    const maxBytes = findMaxBytes(request);
    if (maxBytes !== undefined && isJson(request))
      request.body = parse(await readBody(request, maxBytes, '; use the settings file instead'));
    return next.handle();
  }
}

function isJson({ headers }: IncomingMessage): boolean {
  return JSON_TYPE.test(headers['content-type'] ?? '');
}

/**
 * Reads the bytes of a body.
 * @throws PayloadTooLargeException when there are more than `maxBytes`; UnsupportedMediaTypeException when it is compressed
 */
export function readRawBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return readBody(request, maxBytes, '');
}

async function readBody(request: IncomingMessage, maxBytes: number, advice: string): Promise<Buffer> {
  if (request.headers['content-encoding'] !== undefined)
    throw new UnsupportedMediaTypeException('The body must not be compressed');
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The end of the loop must not destroy the request, or nothing could be sent to its connection.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      request.resume();
      throw new PayloadTooLargeException(`The body is larger than ${maxBytes} bytes${advice}`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    checkSize(text, Number.POSITIVE_INFINITY);
    return JSON.parse(text) as unknown;
  } catch (error) {
    const { details } = error as Partial<GatewayError<'INVALID_FRAME'>>;
    throw new BadRequestException(`The body is not read: ${details?.reason ?? 'it is not JSON'}`);
  }
}
