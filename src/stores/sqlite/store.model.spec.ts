import { describe } from 'vitest';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { NoMetrics } from '../../core/telemetry/metrics.js';
import { ReopenedStore } from '../../testing/store.contract.js';
import { describeStoreModel } from '../../testing/store.model.js';
import { openDatabase } from './database.js';
import { SqliteStore } from './index.js';
import { SqliteStateMachine } from './state-machine.js';

/** Creates a database that outlives its state machines and whose next commit can be made to fail. */
async function makeStore(): Promise<ReopenedStore> {
  const opened = openDatabase(undefined);
  const exec = opened.database.exec.bind(opened.database);
  let failing = false;
  opened.database.exec = (sql) => {
    if (failing && sql === 'COMMIT') {
      failing = false;
      throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 });
    }
    exec(sql);
  };
  return ReopenedStore.start(
    async (clock) => {
      const store = new SqliteStore(
        'sqlite::memory:',
        clock,
        new SilentLogs(),
        new NoMetrics(),
        async ({ startedAt }) => {
          const machine = new SqliteStateMachine(opened.database, startedAt);
          return { migrated: [], isRecovered: false, run: async (batch) => machine.run(batch), close: async () => {} };
        },
      );
      await store.open();
      return store;
    },
    async () => opened.close(),
    () => {
      failing = true;
    },
  );
}

describe('SqliteStore against the model', () => {
  describeStoreModel('behaves like the model for any sequence of steps', makeStore);
});
