import type { IncomingMessage } from 'node:http';
import {
  BadRequestException,
  PayloadTooLargeException,
  ServiceUnavailableException,
  UnsupportedMediaTypeException,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { Clock } from '../../core/time/clock.js';
import { readChunks } from './body-chunks.js';
import { checkJson } from './check-json.js';

type JsonRequest = IncomingMessage & { body?: unknown };

/** Maximum size of the bodies that may be larger than others, in bytes, by request. */
const MAX_BYTES: ReadonlyMap<string, number> = new Map([
  // Room for more than 10,000 bindings.
  ['PATCH /admin/v1/config', 4_194_304],
]);

/** Requests whose signature covers the bytes of their body: they are read by {@link SignedBodies}. */
const SIGNED = /^POST \/channels\/(?:slack|whatsapp)\//;

/** Signed bodies that are read at the same time, of each platform. */
const MAX_READING = 16;
/** A body that is not complete by then is given up when another one wants its place, in milliseconds. */
const PATIENCE_MS = 1_000;

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
 * Reads a JSON body that may be larger than others. An interceptor runs after the guards, so that the body of a request
 * without a credential is neither read nor parsed.
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
 * Reads the bodies of signed requests. Who has sent one is known only of the whole of it, so few are read at the same time, and
 * a slow one gives its place up.
 */
export class SignedBodies {
  /** The requests whose bodies are read, the oldest first, each with when it began by the monotonic clock. */
  private readonly reading = new Map<IncomingMessage, number>();

  /** @param maxBytes largest body, in bytes */
  constructor(
    private readonly maxBytes: number,
    private readonly clock: Clock,
  ) {}

  /**
   * Reads the bytes of a body.
   * @throws PayloadTooLargeException; UnsupportedMediaTypeException when it is compressed; ServiceUnavailableException when
   *   too many are read
   */
  async read(request: IncomingMessage): Promise<Buffer> {
    if (this.reading.size >= MAX_READING) this.makeRoom();
    this.reading.set(request, this.clock.elapsed());
    try {
      return await readBody(request, this.maxBytes, '');
    } finally {
      this.reading.delete(request);
    }
  }

  /** Ends the oldest request if it is slow. @throws ServiceUnavailableException */
  private makeRoom(): void {
    const [[oldest, since] = []] = this.reading;
    if (!oldest || this.clock.elapsed() - (since ?? 0) < PATIENCE_MS)
      throw new ServiceUnavailableException('Too many deliveries; deliver it again');
    this.reading.delete(oldest);
    oldest.destroy();
  }
}

async function readBody(request: IncomingMessage, maxBytes: number, advice: string): Promise<Buffer> {
  if (request.headers['content-encoding'] !== undefined)
    throw new UnsupportedMediaTypeException('The body must not be compressed');
  const tooLarge = () => new PayloadTooLargeException(`The body is larger than ${maxBytes} bytes${advice}`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of readChunks(request)) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    checkJson(text, Number.POSITIVE_INFINITY);
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw error instanceof BadRequestException
      ? error
      : new BadRequestException('The body is not read: it is not JSON');
  }
}
