// Promises: the ports of core/store, on one SQLite file. Refuses to know: the content of messages and replies.
import { Global, Module } from '@nestjs/common';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { BackupStore, STORE_PORTS } from '../../core/store/index.js';
import { Logs } from '../../core/telemetry/logs.js';
import { Metrics } from '../../core/telemetry/metrics.js';
import { Clock } from '../../core/time/clock.js';
import { SqliteStore } from './sqlite.store.js';

const ports = [...STORE_PORTS, BackupStore];

@Global()
@Module({
  providers: [
    {
      provide: SqliteStore,
      useFactory: (config: ConfigStoreService, clock: Clock, logs: Logs, metrics: Metrics) =>
        new SqliteStore(config.get('store.url'), clock, logs, metrics),
      inject: [ConfigStoreService, Clock, Logs, Metrics],
    },
    ...ports.map((port) => ({ provide: port, useExisting: SqliteStore })),
  ],
  exports: ports,
})
export class SqliteModule {}
