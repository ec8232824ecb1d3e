import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logs } from '../core/telemetry/logs.js';
import type { Metrics } from '../core/telemetry/metrics.js';
import type { Clock } from '../core/time/clock.js';
import { SqliteStore } from '../stores/sqlite/index.js';
import type { StorePorts } from './store/bench.js';

/** A store for one test. */
export interface TestStore {
  /** Not opened. */
  readonly store: StorePorts;
  /** Deletes the stored data. Called after the store is closed. */
  dispose(): void;
}

/** Creates an empty store that uses the clock of a test. */
export type CreateTestStore = (clock: Clock, logs: Logs, metrics: Metrics) => TestStore;

/** Uses the store at a URL. Its data stays. */
export function storeAt(url: string): CreateTestStore {
  return (...all) => ({ store: new SqliteStore(url, ...all), dispose: () => {} });
}

/** The stores that the specs of the core run on, by name. `CORE_STORE=file npx vitest run src/core` selects one. */
export const TEST_STORES = {
  memory: storeAt('sqlite::memory:'),
  file: (...all) => {
    const folder = mkdtempSync(join(tmpdir(), 'core-'));
    const { store } = storeAt(`sqlite:${join(folder, 'gateway.db')}`)(...all);
    return { store, dispose: () => rmSync(folder, { recursive: true }) };
  },
  /** Reports that other replicas write to the store, so that their changes are polled for. */
  shared: (...all) => {
    const test = storeAt('sqlite::memory:')(...all);
    Object.defineProperty(test.store, 'isShared', { value: true });
    return test;
  },
} as const satisfies Record<string, CreateTestStore>;

/** Returns the store that the environment selects. @throws Error when its name is unknown */
export function selectTestStore(name = process.env['CORE_STORE'] ?? 'memory'): CreateTestStore {
  const create = (TEST_STORES as Readonly<Record<string, CreateTestStore>>)[name];
  if (!create) throw new Error(`no store ${name} to test on: ${Object.keys(TEST_STORES).join(', ')}`);
  return create;
}
