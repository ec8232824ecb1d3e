import { afterEach, beforeEach, expect, it } from 'vitest';
import { MemoryBudgetService } from '../../../src/core/limits/memory-budget.service.js';
import { ManualClock } from '../../../src/testing/index.js';
import { OPCODES, RawSocket, rawFrame } from '../../support/raw-socket.js';
import { startTransport, type TransportApp } from '../../support/transport-app.js';
import { expectGoodService, TOKEN } from './support.js';

const OTHER = 'a-token-of-another-tenant';
const FRAME_BYTES = 200_000;
/** More than the buffers of the system hold. */
const MANY_BYTES = 67_108_864;

let gateway: TransportApp;
let budget: MemoryBudgetService;
const sockets: RawSocket[] = [];
beforeEach(async () => {
  const tokens = [
    { token: TOKEN, principal: 'flooder', role: 'operator' },
    { token: OTHER, principal: 'neighbour', role: 'operator', tenant: 'other' },
  ];
  gateway = await startTransport({ settings: { 'limits.buffered_bytes': 16_777_216, 'auth.tokens': tokens } });
  budget = gateway.app.get(MemoryBudgetService);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await gateway.close();
});

async function open(token: string): Promise<RawSocket> {
  const raw = await RawSocket.upgrade(gateway.port, '/', { Authorization: `Bearer ${token}` });
  await raw.readFrame();
  sockets.push(raw);
  return raw;
}

/** A frame whose last bytes are missing until the second part is sent. */
function halves(): readonly [Buffer, Buffer] {
  const envelope = { type: 'ping', id: 'p', timestamp: 1, payload: { filler: 'x'.repeat(FRAME_BYTES) } };
  const frame = rawFrame(OPCODES.text, JSON.stringify(envelope));
  return [frame.subarray(0, FRAME_BYTES), frame.subarray(FRAME_BYTES)];
}

it('[N-14] half frames on many connections end at the share of their tenant, and large frames of others pass', async () => {
  const [half, rest] = halves();
  let hasReached = false;
  for (let n = 0; n < 150 && !hasReached; n++) {
    (await open(TOKEN)).send(half);
    hasReached = budget.wasReached;
  }
  await expect.poll(() => budget.wasReached).toBe(true);
  await expectGoodService(gateway.port, TOKEN);
  const neighbour = await open(OTHER);
  neighbour.send(half);
  await expectGoodService(gateway.port, OTHER);
  neighbour.send(rest);
  expect((await neighbour.readFrame()).payload.toString()).toContain('"correlation_id":"p"');
});

it('[N-14] gives back what ended connections held', async () => {
  const [half] = halves();
  const idle = budget.shareOf('default');
  const raw = await open(TOKEN);
  raw.send(half);
  await expect.poll(() => budget.shareOf('default')).toBeLessThan(idle);
  raw.destroy();
  await expect.poll(() => budget.shareOf('default')).toBe(idle);
});

it('[N-14] an ended connection leaves no timer, which would keep its half frame in memory', async () => {
  const clock = new ManualClock();
  const still = await startTransport({ clock });
  const before = clock.pendingTimers;
  const raw = await RawSocket.upgrade(still.port);
  await raw.readFrame();
  const idle = clock.pendingTimers;
  raw.send(halves()[0]);
  await expect.poll(() => clock.pendingTimers).toBe(idle + 1);
  raw.send(rawFrame(OPCODES.text, 'x', { claimedLength: 300_000n }));
  raw.destroy();
  await expect.poll(() => clock.pendingTimers).toBe(before);
  await still.close();
});

it('[N-14] a peer that goes on sending after its close is cut off', async () => {
  // Its time never passes, so the socket is not destroyed for that.
  const still = await startTransport({ clock: new ManualClock() });
  const raw = await RawSocket.upgrade(still.port);
  await raw.readFrame();
  raw.send(rawFrame(OPCODES.text, 'x', { claimedLength: 300_000n }));
  expect(await raw.readClose()).toMatchObject({ code: 1009 });
  raw.socket.allowHalfOpen = true;
  let sent = 0;
  while (!raw.socket.destroyed && sent < MANY_BYTES) {
    if (raw.socket.writableLength === 0) {
      raw.send(Buffer.alloc(65_536));
      sent += 65_536;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(raw.socket.destroyed).toBe(true);
  await still.close();
});

it('[N-14] bodies of requests without a credential end in 503 with Retry-After, and a small one passes', async () => {
  const begin = async (bytes: number) => {
    const raw = await RawSocket.connect(gateway.port);
    sockets.push(raw);
    const length = `Content-Length: ${bytes}`;
    raw.sendLines([
      'POST /nowhere HTTP/1.1',
      `Host: 127.0.0.1:${gateway.port}`,
      'Content-Type: application/json',
      length,
    ]);
    return raw;
  };
  for (let n = 0; n < 60; n++) await begin(262_144);
  await expect.poll(() => budget.wasReached).toBe(true);
  const { status, headers } = await (await begin(262_144)).readAnswer();
  expect([status, headers.get('retry-after')]).toEqual([503, '5']);
  const small = await begin(2);
  small.send('{}');
  expect((await small.readHead()).status).toBe(404);
});
