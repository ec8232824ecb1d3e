import type { Transformer } from 'node:stream/web';
import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { egressFetch } from '../../http/egress/egress-fetch.js';

/** Concurrent requests of one connection; a server can cause some with its own requests. */
const MAX_REQUESTS = 256;
/** Longest body of an error response, in bytes; it is shown as the reason. */
const MAX_REFUSAL_BYTES = 65_536;
const EVENT_STREAM = 'text/event-stream';

/**
 * Returns a `fetch` that limits response bodies: as a whole, or per event for an event stream, which may last as long
 * as the connection. Reading a body beyond the limit fails.
 * @param maxBytes longest body or event, in bytes
 */
export function createBoundedFetch(maxBytes: number): FetchLike {
  let underWay = 0;
  return async (url, init) => {
    if (underWay >= MAX_REQUESTS) throw new Error(`more than ${MAX_REQUESTS} requests are pending`);
    underWay++;
    try {
      const response = await egressFetch(url, init);
      return bound(response, response.ok ? maxBytes : MAX_REFUSAL_BYTES);
    } catch (error) {
      throw init?.signal?.aborted ? error : new Error(describe(error), { cause: error });
    } finally {
      underWay--;
    }
  };
}

function bound(response: Response, maxBytes: number): Response {
  if (!response.body) return response;
  const { status, statusText, headers } = response;
  const isStream = headers.get('content-type')?.startsWith(EVENT_STREAM) === true;
  const body = response.body.pipeThrough(new TransformStream(createLimiter(maxBytes, isStream)));
  return new Response(body, { status, statusText, headers });
}

function createLimiter(maxBytes: number, isStream: boolean): Transformer<Uint8Array, Uint8Array> {
  let bytes = 0;
  let tail = Buffer.alloc(0);
  return {
    transform(chunk, controller) {
      bytes += chunk.length;
      if (isStream) {
        const recent = Buffer.concat([tail, chunk]);
        const end = findLastEventEnd(recent);
        if (end !== -1) bytes = recent.length - end;
        tail = recent.subarray(-3);
      }
      if (bytes > maxBytes) controller.error(new Error(`the server sends more than ${maxBytes} bytes`));
      else controller.enqueue(chunk);
    },
  };
}

/** Returns the index after the last blank line, or -1. */
function findLastEventEnd(bytes: Buffer): number {
  return Math.max(
    ...['\n\n', '\r\n\r\n', '\r\r'].map((end) => {
      const at = bytes.lastIndexOf(end);
      return at === -1 ? -1 : at + end.length;
    }),
  );
}

function describe(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return `the server cannot be reached (${String(typeof code === 'string' ? code : message)})`;
}
