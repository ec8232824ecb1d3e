import { EventEmitter, once } from 'node:events';
import { Duplex } from 'node:stream';
import type { HttpAdapterHost } from '@nestjs/core';
import { expect, it } from 'vitest';
import type { ConnectionManagerService } from '../core/connections/connection-manager.service.js';
import { RefusalsService } from '../core/connections/refusals.service.js';
import type { MemoryBudgetService } from '../core/limits/memory-budget.service.js';
import { KeptLogs } from '../testing/kept-logs.js';
import { ManualClock } from '../testing/manual-clock.js';
import { SocketServer } from './socket-server.js';
import type { UpgradeGate } from './upgrade-gate.js';
import type { Wire } from './wire.js';
import { NoMetrics } from '../core/telemetry/metrics.js';

it('refuses an upgrade whose check throws with status 500, and stays up', async () => {
  const logs = new KeptLogs();
  const server = new EventEmitter();
  const host = { httpAdapter: { getHttpServer: () => server } } as unknown as HttpAdapterHost;
  const gate = { decide: () => Promise.reject(new Error('no luck')) } as unknown as UpgradeGate;
  const connections = {} as ConnectionManagerService;
  const budget = {} as MemoryBudgetService;
  const refusals = new RefusalsService(new NoMetrics(), logs);
  const sockets = new SocketServer(gate, host, connections, refusals, budget, new ManualClock(), logs);
  sockets.serve({ path: '/', subprotocol: undefined, maxFrameBytes: 1_024 } as Wire);
  const sent: Buffer[] = [];
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      sent.push(chunk);
      done();
    },
  });
  server.emit('upgrade', { url: '/' }, stream, Buffer.alloc(0));
  await once(stream, 'finish');
  expect(Buffer.concat(sent).toString()).toMatch(/^HTTP\/1\.1 500 /);
  expect(logs.lines).toContain('error an upgrade failed');
});
