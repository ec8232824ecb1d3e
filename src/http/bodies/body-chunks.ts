import type { IncomingMessage } from 'node:http';

/**
 * Returns the chunks of a request's body. What the caller does not read is discarded when the iteration ends, so that the
 * connection can carry the next request: by default an early end destroys the request, and with it the connection's reader.
 */
export async function* readChunks(request: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } finally {
    request.resume();
  }
}
