import { defineConfig } from 'vitest/config';
import SlowFirst from './scripts/slow-first.ts';

export default defineConfig({
  test: {
    include: ['src/**/*.spec.ts', 'test/**/*.e2e-spec.ts', 'test/**/*.spec.ts'],
    setupFiles: ['test/support/fixed-seeds.ts'],
    pool: 'threads',
    // Files share the modules that a worker has loaded: loading them for each file takes a third of the time.
    isolate: false,
    // Over twice the cores of a small machine: half of the time is spent waiting for processes, browsers and commits.
    maxWorkers: 5,
    sequence: { sequencer: SlowFirst },
    // Limits that only a hang reaches: on a slow machine tests are slow, not red.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
