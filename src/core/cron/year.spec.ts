import { afterEach, describe, expect, it } from 'vitest';
import { CronHarness, dieAt, type WrapStore } from '../../testing/cron-harness.js';
import { buildSessionSeed } from '../sessions/session-key.js';
import type { CronStore } from '../store/index.js';
import { compileSchedule } from './compile-schedule.js';
import { definitionOf } from './job.js';

const IS_LONG = process.env['LONG'] !== undefined;
const [JOBS, DAYS, CRASHES] = IS_LONG ? [1_000, 366, 100] : [40, 10, 20];
const START = Date.parse('2026-11-26T07:00:30Z');

/** Schedules of many kinds; in a year a job of these is due 365 times or less often, but for a few. */
const EXPRESSIONS = [
  '30 2 * * *',
  '0 8 * * 1-5',
  '0 23 * * *',
  '15 1 * * 0',
  '0 9 13 * FRI',
  '0 0 L * *',
  '@weekly',
  '30 1,2 * * 6',
];
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'America/Nuuk', 'Australia/Lord_Howe'];

const DYING = ['openCronRuns', 'noteCronRunAccepted', 'moveCronJob', 'endCronRun'] as const;

let harness: CronHarness;
const seen = new Set<string>();
afterEach(() => harness.stop());

describe('a year in fast motion', () => {
  it(
    `[J-01] of ${JOBS} jobs over ${DAYS} days with ${CRASHES} crashes: each due time is run or skipped, none twice`,
    { timeout: 3_600_000 },
    async () => {
      harness = await CronHarness.start(new Date(START).toISOString());
      const jobs = [];
      for (let n = 0; n < JOBS; n++) {
        const [cron, timezone] = [EXPRESSIONS[n % EXPRESSIONS.length], ZONES[n % ZONES.length]];
        const schedule = n % 20 === 0 ? { every_ms: 3_600_000 * (5 + (n % 7)) } : { cron, timezone };
        jobs.push(await harness.add({ name: `job ${n}`, schedule, target: { channel: 'test', sender: `p${n % 50}` } }));
      }
      const skipped = new Map<string, number>();
      const end = START + DAYS * 86_400_000;
      let crashes = 0;
      let calls = 0;
      const wrap: WrapStore = (store) => countSkips(store, skipped);
      await harness.stopCron();
      harness.startCron(wrap);
      while (harness.clock.now() < end) {
        const { wakeAt = end } = await harness.store.readCronAgenda();
        harness.clock.setWallTime(Math.max(0, Math.min(wakeAt, end) - harness.clock.now()));
        const isCrash = crashes < CRASHES && ++calls % 7 === 0;
        if (isCrash) {
          const method = DYING[crashes++ % DYING.length] ?? 'openCronRuns';
          harness.startCron((store) => dieAt(wrap(store), method, crashes % 2 === 0));
          await harness.settle();
          // Some ends of crashes are hours later: due times are missed.
          if (crashes % 3 === 0) harness.clock.setWallTime(5 * 3_600_000);
          harness.startCron(wrap);
        } else harness.cron.wake();
        await harness.pass(1_000);
      }
      await harness.pass(5_000);
      const counts = { due: 0, run: 0, skipped: 0, doubled: 0 };
      const messages = await countMessages();
      for (const job of jobs) {
        const times = await compileSchedule(definitionOf(job).schedule);
        const last = (await harness.store.findCronJob(job.jobId))?.base ?? 0;
        const ran = messages.get(job.jobId) ?? [];
        counts.due += times.count(job.base, last);
        counts.run += new Set(ran).size;
        counts.doubled += ran.length - new Set(ran).size;
        counts.skipped += skipped.get(job.jobId) ?? 0;
      }
      process.stdout.write(`${JSON.stringify({ ...counts, crashes })}\n`);
      expect(counts).toMatchObject({ run: counts.due - counts.skipped, doubled: 0 });
      expect(crashes).toBe(CRASHES);
      expect(counts.due).toBeGreaterThan(JOBS);
    },
  );
});

/** The IDs of the messages that were run, by job. */
async function countMessages(): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  for (let n = 0; n < 50; n++) {
    const session = buildSessionSeed('default', { channel: 'test', sender: `p${n}` }).id;
    let before: string | undefined;
    for (;;) {
      const page = await harness.core.store.readHistory(session, 500, before);
      for (const { client, messageId, reply } of page.messages) {
        const jobId = client.principal.slice('cron:'.length);
        if (reply) found.set(jobId, [...(found.get(jobId) ?? []), messageId]);
      }
      before = page.messages[0]?.messageRef;
      if (!page.more || before === undefined) break;
    }
  }
  return found;
}

/** Counts the due times that are skipped for good, each firing once. */
function countSkips(store: CronStore, skipped: Map<string, number>): CronStore {
  return new Proxy(store, {
    get(target, name) {
      const call = Reflect.get(target, name) as (...all: unknown[]) => Promise<unknown>;
      if (name !== 'openCronRuns') return (...all: unknown[]) => call.apply(target, all);
      return async (...all: Parameters<CronStore['openCronRuns']>) => {
        const opened = await target.openCronRuns(...all);
        for (const run of opened.kind === 'opened' ? opened.runs : [])
          if (run.status === 'skipped' && !seen.has(run.firingId)) {
            seen.add(run.firingId);
            skipped.set(run.jobId, (skipped.get(run.jobId) ?? 0) + (run.count ?? 1));
          }
        return opened;
      };
    },
  });
}
