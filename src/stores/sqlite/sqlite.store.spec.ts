import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SilentLogs } from '../../core/telemetry/logs.js';
import { describeStoreContract, ReopenedStore } from '../../testing/store.contract.js';
import { SqliteStore } from './index.js';

describeStoreContract('SqliteStore keeps the store contract', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sqlite-'));
  return ReopenedStore.start(
    async (clock) => {
      const store = new SqliteStore({ url: `sqlite:${join(folder, 'gateway.db')}`, replicaId: 'replica-1' }, clock, new SilentLogs());
      await store.open();
      return store;
    },
    () => rm(folder, { recursive: true }),
  );
});
