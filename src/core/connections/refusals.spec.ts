import { expect, it } from 'vitest';
import { GatewayError, type Scope } from '../../protocol/domain.js';
import type { Principal } from '../identity/principal.js';
import { KeptLogs } from '../../testing/kept-logs.js';
import { RefusalsService } from './refusals.service.js';
import { NoMetrics } from '../telemetry/metrics.js';

it('[N-11] refusals while the store is down are not logged one by one', () => {
  const logs = new KeptLogs();
  const refusals = new RefusalsService(new NoMetrics(), logs);
  for (let i = 0; i < 100; i++) refusals.refuse({ send: () => {} }, new GatewayError('STORE_UNAVAILABLE', {}));
  expect(logs.lines.filter((line) => !/^(debug|trace)/.test(line))).toEqual([]);
});

it('a refusal is logged with the tenant and the principal that it concerns', () => {
  const logs = new KeptLogs();
  const principal: Principal = {
    tenant: 'acme',
    principal: 'ann',
    role: 'user',
    scopes: new Set<Scope>(),
    channels: [],
    sender: 'ann',
  };
  new RefusalsService(new NoMetrics(), logs).refuse(
    { send: () => {}, principal },
    new GatewayError('STORE_UNAVAILABLE', {}),
  );
  expect(logs.fields).toEqual([expect.objectContaining({ tenant: 'acme', principal: 'ann' })]);
});
