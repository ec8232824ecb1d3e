import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';

/** The media type of an export: a JSON value in each line. */
export const JSON_LINES = 'application/jsonl';

/** How the document describes an export. */
export const LINES_SCHEMA = { type: 'string', example: '{"type":"end","items":0,"sha256":"..."}\n' } as const;

/**
 * Streams records as JSON, one in each line, as fast as the client takes them. The last line has their number and the
 * SHA-256 of all lines before it. If the records fail, the connection is destroyed: a file without that line is not complete.
 * @param name of the file
 */
export function streamLines(records: AsyncIterable<{ readonly type: string }>, name: string): StreamableFile {
  const file = new StreamableFile(Readable.from(encode(records), { objectMode: false }), {
    type: JSON_LINES,
    disposition: `attachment; filename="${name.replaceAll(/[^\w.-]/g, '_')}.jsonl"`,
  });
  // The status was sent: what is left is to cut the connection, which a client sees.
  return file.setErrorHandler((error, response) => {
    (response as unknown as ServerResponse).destroy(error);
  });
}

async function* encode(records: AsyncIterable<object>): AsyncIterable<Buffer> {
  const digest = createHash('sha256');
  let items = 0;
  for await (const record of records) {
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    digest.update(line);
    items++;
    yield line;
  }
  yield Buffer.from(`${JSON.stringify({ type: 'end', items, sha256: digest.digest('hex') })}\n`);
}
