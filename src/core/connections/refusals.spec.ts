import { expect, it } from 'vitest';
import { GatewayError } from '../../protocol/domain.js';
import { KeptLogs } from '../../testing/kept-logs.js';
import { RefusalsService } from './refusals.service.js';
import { NoMetrics } from '../telemetry/metrics.js';

it('[N-11] refusals while the store is down are not logged one by one', () => {
  const logs = new KeptLogs();
  const refusals = new RefusalsService(new NoMetrics(), logs);
  for (let i = 0; i < 100; i++) refusals.refuse({ send: () => {} }, new GatewayError('STORE_UNAVAILABLE', {}));
  expect(logs.lines.filter((line) => !/^(debug|trace)/.test(line))).toEqual([]);
});
