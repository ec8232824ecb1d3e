import { expect, it } from 'vitest';
import { FakeMetrics } from '../../testing/fake-metrics.js';
import { KeptLogs } from '../../testing/kept-logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import type { AuditStore } from '../store/index.js';
import { DAY_MS } from '../time/clock.js';
import { AuditHeadService } from './audit-head.service.js';

it('[I-52] the head of the trail is in the logs once a day, and its number in the metrics', async () => {
  const clock = new ManualClock();
  const logs = new KeptLogs();
  let sequence = 7;
  const audit = { readAuditHead: async () => ({ sequence, hash: 'ab' }) } as AuditStore;
  const metrics = new FakeMetrics();
  await new AuditHeadService(audit, clock, metrics, logs).start();
  const LINE = 'info head of the audit trail';
  expect([logs.lines, metrics.read('openclaw_audit_entries')]).toEqual([[LINE], 7]);
  sequence = 9;
  await clock.advanceAsync(DAY_MS / 2);
  expect([logs.lines, metrics.read('openclaw_audit_entries')]).toEqual([[LINE], 9]);
  await clock.advanceAsync(DAY_MS);
  expect(logs.lines).toEqual([LINE, LINE]);
});
