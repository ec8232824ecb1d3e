import { afterEach, describe, expect, it } from 'vitest';
import { CronHarness } from '../../testing/cron-harness.js';
import { MAX_JOBS } from './cron-jobs.service.js';

const JOBS = process.env['LONG'] ? 10_000 : 1_000;

let harness: CronHarness;
afterEach(() => harness.stop());

describe('many jobs', () => {
  it(
    `[J-01] that are due in one minute, ${JOBS} of them, are all run once, in the order of their IDs`,
    { timeout: 120_000 },
    async () => {
      harness = await CronHarness.start('2026-11-26T07:00:00Z', { settings: { 'queue.max_per_session': JOBS } });
      const ids: string[] = [];
      for (let n = 0; n < JOBS; n++) {
        const target = { channel: 'test', sender: 'alice' };
        const { jobId } = await harness.add({ schedule: { cron: '0 8 * * *', timezone: 'Europe/Paris' }, target });
        ids.push(jobId);
      }
      await harness.passUntil('2026-11-27T07:00:05Z');
      for (let n = 0; n < 400 && (await harness.store.readCronAgenda()).isBusy; n++) await harness.pass(1_000);
      const runs = await Promise.all(
        ids.toSorted().map(async (jobId) => (await harness.store.listCronRuns(jobId, 2))[0]),
      );
      expect(new Set(runs.map((run) => run?.status))).toEqual(new Set(['done']));
      const firsts = runs.map((run) => run?.run ?? 0);
      expect(firsts).toEqual(firsts.toSorted((one, other) => one - other));
    },
  );

  it(`[J-07] are at most ${MAX_JOBS}`, async () => {
    harness = await CronHarness.start('2026-11-26T07:00:00Z');
    const job = await harness.add({ schedule: { at: '2030-01-01T00:00:00Z' } });
    const note = { tenant: 'default', actor: 'a', action: 'cron.add', target: 'j', before: 'null', after: 'null' };
    const { store } = harness;
    const add = store.addCronJob.bind(store);
    expect(await add({ ...job, jobId: 'second' }, { total: 2 }, note)).toBe('added');
    expect(await add({ ...job, jobId: 'third' }, { total: 2 }, note)).toBe('full');
    expect(await add({ ...job, jobId: 'third' }, { total: 9, owned: 2 }, note)).toBe('owner_full');
    expect(await add(job, { total: 2 }, note)).toBe('known');
    // With two jobs in place of the limit.
    store.addCronJob = (added, limits, ...rest) =>
      add(added, { ...limits, total: limits.total - MAX_JOBS + 2 }, ...rest);
    await expect(harness.add({ schedule: { every_ms: 60_000 } })).rejects.toMatchObject({
      code: 'INVALID_PAYLOAD',
      details: { faults: [{ pointer: '', message: `there are ${MAX_JOBS} jobs already, which is the limit` }] },
    });
  });
});
