import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { sendBody } from './send-body.js';

/** The media type of JSON lines. */
const JSON_LINES = 'application/jsonl';

/** The description of JSON lines for the OpenAPI document. */
export const JSON_LINES_CONTENT = {
  [JSON_LINES]: { schema: { type: 'string', example: '{"type":"end","items":0,"sha256":"..."}\n' } },
} as const;

/** Characters that are collected before they are written. */
const CHUNK_LENGTH = 65_536;

/**
 * Sends items as JSON lines, as fast as the client reads. The last line is `{"type":"end","items":N,"sha256":"..."}`, with
 * the hash of all bytes before it: a response without it is incomplete. On a failure the connection is destroyed, after the
 * status was sent; before the first item the failure is thrown.
 * @param name of the file that a browser saves, without its extension
 */
export async function sendJsonLines(
  response: ServerResponse,
  items: AsyncIterable<object>,
  name: string,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  const first = await iterator.next();
  response.writeHead(200, {
    'Content-Type': JSON_LINES,
    'Content-Disposition': `attachment; filename="${name.replaceAll(/[^\w.-]/g, '_')}.jsonl"`,
    'Cache-Control': 'no-store',
  });
  response.flushHeaders();
  await sendBody(response, writeLines(first, iterator));
}

async function* writeLines(first: IteratorResult<object>, rest: AsyncIterator<object>): AsyncGenerator<string> {
  const digest = createHash('sha256');
  let count = 0;
  let chunk = '';
  for (let item = first; item.done !== true; item = await rest.next()) {
    chunk += `${JSON.stringify(item.value)}\n`;
    count++;
    if (chunk.length < CHUNK_LENGTH) continue;
    digest.update(chunk);
    yield chunk;
    chunk = '';
  }
  digest.update(chunk);
  yield `${chunk}${JSON.stringify({ type: 'end', items: count, sha256: digest.digest('hex') })}\n`;
}
