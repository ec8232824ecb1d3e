import { DatabaseSync } from 'node:sqlite';
import { SilentLogs } from '../../src/core/telemetry/logs.js';
import { NoMetrics } from '../../src/core/telemetry/metrics.js';
import { openDatabase } from '../../src/stores/sqlite/file/database.js';
import type { StartExecutor } from '../../src/stores/sqlite/thread/executor.js';
import { SqliteStore } from '../../src/stores/sqlite/index.js';
import type { Batch } from '../../src/stores/sqlite/operations/index.js';
import { SqliteStateMachine } from '../../src/stores/sqlite/state-machine.js';
import { ReopenedStore } from '../../src/testing/store.contract.js';

/** An empty database with all tables: migrating one for each store would take most of the time. */
let empty: Uint8Array | undefined;

function makeDatabase(content?: Uint8Array): DatabaseSync {
  const database = new DatabaseSync(':memory:', { enableForeignKeyConstraints: false });
  database.deserialize(content ?? (empty ??= openDatabase(undefined).database.serialize()));
  return database;
}

/**
 * Makes an empty store under test whose database is in memory. It outlives crashes, and its next commit can be made to fail.
 * The store gets copies of all that its database returns, as from its worker thread.
 */
export function makeStoreInMemory(): Promise<ReopenedStore> {
  let database = makeDatabase();
  let copy = database.serialize();
  let isFailing = false;
  const start: StartExecutor = async ({ startedAt }) => {
    const exec = DatabaseSync.prototype.exec.bind(database);
    database.exec = (sql) => {
      if (isFailing && sql === 'COMMIT') {
        isFailing = false;
        throw Object.assign(new Error('database or disk is full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 });
      }
      exec(sql);
    };
    const machine = new SqliteStateMachine(database, startedAt);
    const run = async (batch: Batch) => structuredClone(machine.run(structuredClone(batch)));
    return { migrated: [], isRecovered: false, logEpoch: machine.logEpoch, run, close: async () => {} };
  };
  return ReopenedStore.start(
    async (clock) => {
      const store = new SqliteStore('sqlite::memory:', clock, new SilentLogs(), new NoMetrics(), start);
      await store.open();
      return store;
    },
    async () => database.close(),
    () => (isFailing = true),
    {
      keep: async () => void (copy = database.serialize()),
      putBack: async () => {
        database.close();
        database = makeDatabase(copy);
      },
    },
  );
}
