import { PassThrough } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.js';
import { SignedBodies } from './large-json-body.js';

/** A request whose body comes as the test says. */
const aRequest = () => Object.assign(new PassThrough(), { headers: {} });

it('sixteen signed bodies are read at the same time, and another one when one of them has ended', async () => {
  const clock = new ManualClock();
  const bodies = new SignedBodies(8, clock);
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

it('of sixteen bodies that do not arrive, the oldest gives its place up after a second', async () => {
  const clock = new ManualClock();
  const bodies = new SignedBodies(8, clock);
  const read = (request: object) => bodies.read(request as IncomingMessage);
  const silent = Array.from({ length: 16 }, aRequest);
  const ended = silent.map((request) => read(request).catch(() => 'ended'));
  clock.advance(1_000);
  const late = Array.from({ length: 3 }, aRequest);
  const reads = late.map(read);
  for (const request of late) request.end('late');
  expect((await Promise.all(reads)).map(String)).toEqual(['late', 'late', 'late']);
  expect(await Promise.all(ended.slice(0, 3))).toEqual(['ended', 'ended', 'ended']);
  expect(silent.map(({ destroyed }) => destroyed).filter(Boolean)).toHaveLength(3);
  for (const request of silent) request.destroy();
});

it('a body that says that it is too large is not read at all', async () => {
  const bodies = new SignedBodies(8, new ManualClock());
  const request = Object.assign(aRequest(), { headers: { 'content-length': '9' } });
  await expect(bodies.read(request as unknown as IncomingMessage)).rejects.toMatchObject({ status: 413 });
});
