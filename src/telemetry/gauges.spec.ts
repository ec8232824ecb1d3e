import { expect, it } from 'vitest';
import type { ChannelManagerService } from '../core/channels/channel-manager.service.js';
import type { ConnectionManagerService } from '../core/connections/connection-manager.service.js';
import { PhaseService } from '../core/phase/phase.service.js';
import type { QueueStore } from '../core/store/index.js';
import { FakeMetrics } from '../testing/fake-metrics.js';
import { ManualClock } from '../testing/manual-clock.js';
import { GaugesService, READ_INTERVAL_MS } from './gauges.service.js';

/** Gauges of a gateway whose store answers with `counts` and `dead`, or as `fail` says. */
function setUp() {
  const [clock, metrics] = [new ManualClock(), new FakeMetrics()];
  const parts = {
    counts: { queued: 3, running: 1, oldestAt: clock.now() as number | undefined, activeSessions: 0 },
    dead: { pigeon: 2 } as Record<string, number>,
    fail: undefined as (() => Promise<never>) | undefined,
    reads: 0,
  };
  const countQueue = () => (parts.reads++, parts.fail?.() ?? Promise.resolve(parts.counts));
  const phase = new PhaseService(clock);
  const gauges = new GaugesService(
    phase,
    { countQueue } as unknown as QueueStore,
    {
      states: new Map([
        ['pigeon', { state: 'connected' }],
        ['owl', { state: 'retrying' }],
      ]),
      countDeadLetters: async () => parts.dead,
    } as unknown as ChannelManagerService,
    { count: 7 } as ConnectionManagerService,
    clock,
    metrics,
  );
  return { clock, metrics, parts, phase, gauges };
}

it('read the queue and the dead letters again and again', async () => {
  const { clock, metrics, parts, gauges } = setUp();
  gauges.start();
  await clock.advanceAsync(0);
  expect(metrics.read('openclaw_queue_messages', { state: 'waiting' })).toBe(3);
  expect(metrics.read('openclaw_dead_letters', { channel: 'pigeon' })).toBe(2);
  expect(metrics.read('openclaw_dead_letters', { channel: 'owl' })).toBe(0);

  parts.dead = {};
  await clock.advanceAsync(READ_INTERVAL_MS);
  expect(metrics.read('openclaw_queue_oldest_seconds')).toBe(READ_INTERVAL_MS / 1_000);
  expect(metrics.read('openclaw_dead_letters', { channel: 'pigeon' })).toBe(0);
  expect(metrics.read('openclaw_store_read_timestamp_seconds')).toBe(clock.now() / 1_000);

  parts.counts = { queued: 0, running: 0, oldestAt: undefined, activeSessions: 0 };
  await clock.advanceAsync(READ_INTERVAL_MS);
  expect(metrics.read('openclaw_queue_oldest_seconds')).toBe(0);
});

it('[L-21] keep the last values while the store does not respond, with their age, and ask it once', async () => {
  const { clock, metrics, parts, gauges } = setUp();
  gauges.start();
  await clock.advanceAsync(0);
  const readAt = metrics.read('openclaw_store_read_timestamp_seconds');
  parts.fail = () => new Promise(() => {});
  await clock.advanceAsync(10 * READ_INTERVAL_MS);
  gauges.refresh();
  expect(metrics.read('openclaw_queue_messages', { state: 'waiting' })).toBe(3);
  expect(metrics.read('openclaw_store_read_timestamp_seconds')).toBe(readAt);
  expect(parts.reads).toBe(2);
});

it('[L-21] read on after a store that failed', async () => {
  const { clock, metrics, parts, gauges } = setUp();
  parts.fail = () => Promise.reject(new Error('no disk'));
  gauges.start();
  await clock.advanceAsync(0);
  parts.fail = undefined;
  await clock.advanceAsync(READ_INTERVAL_MS);
  expect(metrics.read('openclaw_queue_messages', { state: 'running' })).toBe(1);
});

it('say which channels are connected, and whether messages are accepted', () => {
  const { metrics, phase, gauges } = setUp();
  gauges.refresh();
  expect(metrics.read('openclaw_ready')).toBe(0);
  phase.moveTo('ready');
  gauges.refresh();
  expect(metrics.read('openclaw_ready')).toBe(1);
  expect(metrics.read('openclaw_connections')).toBe(7);
  const read = (channel: string) => metrics.read('openclaw_channel_connected', { channel });
  expect([read('pigeon'), read('owl')]).toEqual([1, 0]);
});
