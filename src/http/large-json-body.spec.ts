import { PassThrough } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { SignedBodies } from './large-json-body.js';

/** A request whose body comes as the test says. */
const aRequest = () => Object.assign(new PassThrough(), { headers: {} });

it('sixteen signed bodies are read at the same time, and another one when one of them has ended', async () => {
  const bodies = new SignedBodies(8);
  const read = (request: object) => bodies.read(request as IncomingMessage);
  const requests = Array.from({ length: 16 }, aRequest);
  const reads = requests.map(read);
  await expect(read(aRequest())).rejects.toMatchObject({ status: 503 });
  requests[0]?.end('one');
  expect(String(await reads[0])).toBe('one');
  const large = aRequest();
  large.end('too large');
  await expect(read(large)).rejects.toMatchObject({ status: 413 });
  for (const request of requests) request.end();
  await Promise.all(reads);
});
