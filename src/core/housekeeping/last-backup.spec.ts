import { beforeEach, describe, expect, it } from 'vitest';
import { loadSettings } from '../../settings.js';
import { FakeMetrics } from '../../testing/fake-metrics.js';
import { KeptLogs } from '../../testing/kept-logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import type { AuditQuery, AuditRow, AuditStore } from '../store/index.js';
import { DAY_MS, HOUR_MS } from '../time/clock.js';
import { LastBackupService } from './last-backup.service.js';

let clock: ManualClock;
let metrics: FakeMetrics;
let completedAt: number | undefined;
let isStoreDown: boolean;

beforeEach(() => {
  clock = new ManualClock();
  metrics = new FakeMetrics();
  completedAt = undefined;
  isStoreDown = false;
});

async function start(hours: number): Promise<LastBackupService> {
  const listAudit = async ({ action }: AuditQuery) => {
    if (isStoreDown) throw new Error('the store is down');
    const rows = completedAt === undefined || action !== 'backup.complete' ? [] : [{ at: completedAt }];
    return rows as AuditRow[];
  };
  const settings = loadSettings({ NODE_ENV: 'production' }, { 'store.max_backup_age_hours': hours }, '/nonexistent');
  const config = new ConfigStoreService(settings, new KeptLogs());
  const last = new LastBackupService({ listAudit } as unknown as AuditStore, config, clock, metrics, new KeptLogs());
  await last.start();
  return last;
}

describe('the last backup', () => {
  it('is too old from the age on that the settings allow, and its time is a metric', async () => {
    completedAt = clock.now() - 23 * HOUR_MS;
    const last = await start(24);
    expect([last.at, last.problem]).toEqual([completedAt, undefined]);
    expect(metrics.read('openclaw_last_backup_timestamp_seconds')).toBe(completedAt / 1_000);
    await clock.advanceAsync(HOUR_MS + 1);
    expect(last.problem).toBe('the last backup was made 24 hours ago (openclaw backup)');
    await clock.advanceAsync(6 * DAY_MS);
    expect(last.problem).toContain('7 days ago');
  });

  it('is missed where one is expected, until another replica has made it', async () => {
    const last = await start(24);
    expect(last.problem).toContain('no backup');
    expect(metrics.read('openclaw_last_backup_timestamp_seconds')).toBe(0);
    completedAt = clock.now();
    await clock.advanceAsync(60_000);
    expect([last.at, last.problem]).toEqual([completedAt, undefined]);
  });

  it('is not missed by default, and not while the store cannot be read', async () => {
    expect((await start(0)).problem).toBeUndefined();
    isStoreDown = true;
    expect((await start(24)).problem).toBeUndefined();
  });
});
