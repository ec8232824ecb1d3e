import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** The codes of errors that a pipeline throws when the client leaves, or has left before it began. */
const CLIENT_LEFT: ReadonlySet<unknown> = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_UNABLE_TO_PIPE']);

/**
 * Streams the rest of a response as fast as the client reads. However it ends, the source is ended too, so that what it
 * holds is released. A client that has left needs no response; any other failure is thrown.
 */
export async function sendBody(response: ServerResponse, chunks: AsyncIterable<Uint8Array | string>): Promise<void> {
  const body = chunks instanceof Readable ? chunks : Readable.from(chunks);
  try {
    await pipeline(body, response);
  } catch (error) {
    // A pipeline into a response that was closed before leaves its source as it is.
    body.destroy();
    if (!CLIENT_LEFT.has((error as NodeJS.ErrnoException).code)) throw error;
  }
}
