import { DatabaseSync } from 'node:sqlite';
import { describe } from 'vitest';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { NoMetrics } from '../../core/telemetry/metrics.js';
import { ReopenedStore } from '../../testing/store.contract.js';
import { describeStoreModel } from '../../testing/store.model.js';
import { openDatabase } from './database.js';
import { SqliteStore } from './index.js';
import type { Batch } from './operations.js';
import { SqliteStateMachine } from './state-machine.js';

/** Creates a database that outlives its state machines and whose next commit can be made to fail. */
async function makeStore(): Promise<ReopenedStore> {
  let { database } = openDatabase(undefined);
  let copy = database.serialize();
  let failing = false;
  return ReopenedStore.start(
    async (clock) => {
      const store = new SqliteStore(
        'sqlite::memory:',
        clock,
        new SilentLogs(),
        new NoMetrics(),
        async ({ startedAt }) => {
          const exec = DatabaseSync.prototype.exec.bind(database);
          database.exec = (sql) => {
            if (failing && sql === 'COMMIT') {
              failing = false;
              throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 });
            }
            exec(sql);
          };
          const machine = new SqliteStateMachine(database, startedAt);
          const { logEpoch } = machine;
          const run = async (batch: Batch) => machine.run(batch);
          return { migrated: [], isRecovered: false, logEpoch, run, close: async () => {} };
        },
      );
      await store.open();
      return store;
    },
    async () => database.close(),
    () => {
      failing = true;
    },
    {
      keep: async () => void (copy = database.serialize()),
      putBack: async () => {
        database.close();
        database = new DatabaseSync(':memory:');
        database.deserialize(copy);
      },
    },
  );
}

describe('SqliteStore against the model', () => {
  describeStoreModel('behaves like the model for any sequence of steps', makeStore);
});
