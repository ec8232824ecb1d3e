import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { CronHarness, dieAt } from '../../testing/cron-harness.js';
import type { CronRun, CronStore } from '../store/index.js';
import { definitionOf } from './job.js';
import type { JobChangeInput, JobInput } from './job-schema.js';

const START = '2026-11-26T07:00:00Z';
const DAILY = { cron: '0 8 * * *', timezone: 'UTC' };

let harness: CronHarness;
afterEach(() => harness.stop());

async function start(now = START, settings: Readonly<Record<string, unknown>> = {}): Promise<void> {
  harness = await CronHarness.start(now, { settings });
}

const times = (runs: readonly CronRun[]) => runs.map(({ due, status }) => `${new Date(due).toISOString()} ${status}`);

describe('the scheduler', () => {
  it('[J-01] starts a job at its due time, as a message in the session of its target, which is answered there', async () => {
    await start();
    const job = await harness.add({ schedule: DAILY, message: '{{name}} at {{due}}' });
    await harness.passUntil('2026-11-26T07:59:59Z');
    expect(await harness.messages()).toEqual([]);
    await harness.passUntil('2026-11-26T08:00:05Z');
    const [message] = await harness.messages();
    expect(message).toMatchObject({
      client: { principal: `cron:${job.jobId}`, clientId: 'cron' },
      messageId: `cron:${job.jobId}:1:2026-11-26T08:00:00`,
      payload: { sender: 'alice', sender_name: 'cron', content: 'a job at 2026-11-26T08:00:00+00:00' },
      reply: { reason: 'stop' },
    });
    expect(times(await harness.runs(job))).toEqual(['2026-11-26T08:00:00.000Z done']);
    await harness.passUntil('2026-11-28T09:00:00Z');
    expect(await harness.messages()).toHaveLength(3);
  });

  it.each<keyof CronStore>(['openCronRuns', 'noteCronRunAccepted', 'moveCronJob', 'endCronRun', 'listDueCronJobs'])(
    '[J-01] that dies before or after %s fires exactly once after its restart',
    async (method) => {
      await start();
      const job = await harness.add({ schedule: DAILY });
      for (const [day, hasEffect] of [
        ['26', false],
        ['27', true],
      ] as const) {
        await harness.stopCron();
        harness.startCron((store) => dieAt(store, method, hasEffect));
        await harness.passUntil(`2026-11-${day}T08:00:20Z`);
        harness.startCron();
        await harness.pass(60_000);
      }
      expect((await harness.messages()).map(({ messageId }) => messageId.slice(-19))).toEqual([
        '2026-11-26T08:00:00',
        '2026-11-27T08:00:00',
      ]);
      expect(times(await harness.runs(job))).toEqual([
        '2026-11-26T08:00:00.000Z done',
        '2026-11-27T08:00:00.000Z done',
      ]);
    },
  );

  it('[J-01] fires once with two schedulers on one store', async () => {
    await start();
    await harness.add({ schedule: { every_ms: 60_000 } });
    harness.startCron();
    await harness.pass(10 * 60_000);
    expect(await harness.messages()).toHaveLength(10);
  });

  it('[J-01] keeps the message of a firing when the job is edited between its row and its message', async () => {
    await start();
    const job = await harness.add({ schedule: DAILY });
    await harness.stopCron();
    harness.startCron((store) => dieAt(store, 'noteCronRunAccepted', false));
    await harness.passUntil('2026-11-26T08:00:20Z');
    await harness.jobs.change('default', job.jobId, { message: 'other' }, 'operator');
    harness.startCron();
    await harness.pass(60_000);
    expect((await harness.messages()).map(({ payload }) => payload.content)).toEqual(['ping']);
  });

  it('[J-03] never sets its timer further than 15 s, also when the nearest job is years away', async () => {
    await start();
    await harness.add({ schedule: { at: '2028-01-01T00:00:00Z' } });
    const before = harness.clock.now();
    harness.clock.setWallTime(Date.parse('2028-01-01T00:00:10Z') - before);
    await harness.pass(15_000);
    expect(await harness.messages()).toHaveLength(1);
  });
});

interface EditCase {
  readonly job: {
    readonly schedule: JobInput['schedule'];
    readonly last_due?: string;
    readonly enabled?: boolean;
    readonly misfire?: 'all';
  };
  readonly now: string;
  readonly change: JobChangeInput & { readonly remove?: boolean };
  readonly next?: string;
  readonly fires?: readonly string[];
}

describe('a change of a job', () => {
  const url = new URL('../../../test/inputs/cron/edit.json', import.meta.url);
  const { cases } = JSON.parse(readFileSync(url, 'utf8')) as { cases: EditCase[] };

  it.each(cases.filter(({ change }) => change.remove === undefined))('[J-04] never starts it: %j', async (one) => {
    const { schedule, last_due: lastDue, enabled = true, misfire = 'latest' } = one.job;
    const begin = new Date(Date.parse(lastDue ?? one.now) - 60_000).toISOString();
    await start('at' in schedule ? '2026-11-26T13:50:00Z' : begin);
    const job = await harness.add({ schedule, misfire });
    if (!enabled) await harness.jobs.change('default', job.jobId, { enabled }, 'operator');
    await harness.passUntil(one.now);
    const before = await harness.runs(job);
    const after = await harness.jobs.change('default', job.jobId, one.change, 'operator');
    await harness.pass(50);
    expect(await harness.runs(job)).toEqual(before);
    const wanted = one.next ?? one.fires?.at(-1) ?? '';
    expect(new Date(after.nextDue ?? 0)).toEqual(new Date(wanted));
    await harness.passUntil(wanted);
    await harness.pass(1_000);
    expect(times(await harness.runs(job)).slice(before.length)).toEqual([`${new Date(wanted).toISOString()} done`]);
  });

  it('[J-04] that removes it ends its messages that wait, and lets the turn that runs go on', async () => {
    await start();
    const job = await harness.add({
      schedule: { cron: '* * * * *', timezone: 'UTC' },
      message: '/wait 60000',
      overlap: 'queue',
    });
    await harness.pass(61_000);
    await harness.pass(58_000);
    await harness.pass(3_000);
    expect((await harness.runs(job)).map(({ status }) => status)).toContain('running');
    await harness.jobs.remove('default', job.jobId, 'operator');
    await harness.pass(300_000);
    const ends = (await harness.messages()).map(({ reply }) => reply?.reason);
    expect(ends.slice(0, 1)).toEqual(['stop']);
    expect(ends.slice(2)).toEqual(ends.slice(2).map(() => 'cancelled'));
    expect(ends.length).toBeLessThanOrEqual(3);
  });

  it('[J-04] to another zone alone moves it there, and nothing is started by that', async () => {
    await start();
    const job = await harness.add({ schedule: { cron: '0 12 * * *', timezone: 'UTC' } });
    const moved = await harness.jobs.change('default', job.jobId, { schedule: { timezone: 'Asia/Tokyo' } }, 'operator');
    expect(definitionOf(moved).schedule).toEqual({ kind: 'cron', expression: '0 12 * * *', timezone: 'Asia/Tokyo' });
    expect([moved.revision, new Date(moved.nextDue ?? 0).toISOString()]).toEqual([2, '2026-11-27T03:00:00.000Z']);
    const every = await harness.add({ schedule: { every_ms: 60_000 } });
    const after = await harness.jobs.change('default', every.jobId, { schedule: { timezone: 'UTC' } }, 'operator');
    expect(after.nextDue).toBe(every.nextDue);
    await expect(
      harness.jobs.change('default', job.jobId, { schedule: { timezone: 'Mars/Base' } }, 'operator'),
    ).rejects.toMatchObject({ details: { faults: [{ pointer: '/schedule/timezone' }] } });
    expect(await harness.messages()).toEqual([]);
  });

  it('keeps its zone when the default changes, and describes the job as it was given', async () => {
    await start(START, { 'cron.timezone': 'Asia/Kathmandu' });
    const job = await harness.add({ schedule: { cron: '0 8 * * *' } });
    expect(definitionOf(job).schedule).toEqual({ kind: 'cron', expression: '0 8 * * *', timezone: 'Asia/Kathmandu' });
  });
});
