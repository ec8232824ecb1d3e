import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../settings.js';
import { FakeMetrics } from '../../testing/fake-metrics.js';
import { KeptLogs } from '../../testing/kept-logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { SilentLogs } from '../telemetry/logs.js';
import { FREE_BYTES, MemoryBudgetService, MIN_SHARE_BYTES, type Holding } from './memory-budget.service.js';

const TOTAL = 16_777_216;
const MIB = 1_048_576;

function setUp() {
  const config = new ConfigStoreService(
    loadSettings({}, { 'limits.buffered_bytes': TOTAL }, '/nonexistent'),
    new SilentLogs(),
  );
  const [clock, metrics, logs] = [new ManualClock(), new FakeMetrics(), new KeptLogs()];
  const budget = new MemoryBudgetService(config, clock, metrics, logs);
  return { budget, clock, metrics, logs };
}

describe('the share of a holder', () => {
  it('[N-14] is an eighth of what is free, less what its owner uses', () => {
    const { budget } = setUp();
    expect(budget.shareOf('a')).toBe(TOTAL / 8);
    const holding = budget.open('connection', 'a');
    holding.set(MIB + FREE_BYTES);
    expect(budget.shareOf('a')).toBe((TOTAL - 2 * MIB) / 8);
    expect(budget.shareOf('b')).toBe((TOTAL - MIB) / 8);
    holding.release();
    holding.release();
    expect(budget.shareOf('a')).toBe(TOTAL / 8);
  });

  it('is never less than 160 KiB, and what is below 64 KiB is not counted', () => {
    const { budget } = setUp();
    for (let n = 0; n < 1_000; n++) budget.open('connection', 'a').set(FREE_BYTES);
    expect(budget.shareOf('a')).toBe(TOTAL / 8);
    budget.open('connection', 'a').set(2 * TOTAL);
    expect(budget.shareOf('a')).toBe(MIN_SHARE_BYTES);
  });

  it('[N-14] keeps the sum near the limit whatever holders that keep to it do, and half for other owners', () => {
    const step = fc.record({
      holder: fc.nat({ max: 99 }),
      owner: fc.nat({ max: 2 }),
      bytes: fc.nat({ max: 2 * MIB }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { budget } = setUp();
        const holders = new Map<string, { holding: Holding; bytes: number }>();
        for (const { holder, owner, bytes } of steps) {
          const key = `${holder} ${owner}`;
          const entry = holders.get(key) ?? { holding: budget.open('connection', `o${owner}`), bytes: 0 };
          const allowed = Math.min(bytes, Math.max(entry.bytes, budget.shareOf(`o${owner}`)));
          holders.set(key, { ...entry, bytes: allowed });
          entry.holding.set(allowed);
        }
        const sumOf = (fits: (key: string) => boolean) =>
          [...holders]
            .filter(([key, { bytes }]) => fits(key) && bytes > MIN_SHARE_BYTES)
            .reduce((sum, [, { bytes }]) => sum + bytes - FREE_BYTES, 0);
        return sumOf(() => true) <= TOTAL && ['0', '1', '2'].every((o) => sumOf((key) => key.endsWith(o)) <= TOTAL / 2);
      }),
    );
  });
});

it('[N-14] says that a holder reached its share: once in the metrics, in a line a minute, and for a minute in the report', () => {
  const { budget, clock, metrics, logs } = setUp();
  const count = () => metrics.read('openclaw_buffered_limit_total', { holder: 'request' });
  const [first, second] = [budget.open('request', 'a'), budget.open('request', 'a')];
  expect(first.set(MIB)).toBe(true);
  expect(metrics.read('openclaw_buffered_bytes')).toBe(MIB - FREE_BYTES);
  expect([budget.wasReached, count()]).toEqual([false, 0]);
  expect(first.set(4 * MIB)).toBe(false);
  expect(first.set(5 * MIB)).toBe(false);
  expect(second.set(4 * MIB)).toBe(false);
  expect([budget.wasReached, count()]).toEqual([true, 2]);
  expect(logs.lines).toEqual(['warn the limit of buffered bytes is reached; see limits.buffered_bytes']);
  clock.advance(60_000);
  expect(budget.wasReached).toBe(false);
  first.release();
  second.release();
  expect(metrics.read('openclaw_buffered_bytes')).toBe(0);
});
