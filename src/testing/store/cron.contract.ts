import { expect } from 'vitest';
import { ALL_TENANTS, type CronJob, type CronRun, type CronRules, type NewCronRun } from '../../core/store/index.js';
import { aReply, aSession } from '../factories.js';
import type { Contract, StoreBench } from './bench.js';

const DAY_MS = 86_400_000;
const MANY = { total: 1_000 };
const QUEUE: CronRules = { overlap: 'queue' };
const NOTE = { tenant: 'default', actor: 'ann', action: 'cron.add', target: 'j1', before: 'null', after: '{}' };
const KEPT_RUNS = 200;

function aJob(changes: Partial<CronJob> = {}): CronJob {
  return {
    jobId: 'j1',
    tenant: 'default',
    owner: 'ann',
    isEnabled: true,
    definition: '{"name":"news"}',
    version: 1,
    revision: 1,
    base: 100,
    nextDue: 200,
    wakeAt: 200,
    firings: 0,
    failures: 0,
    createdAt: 100,
    ...changes,
  };
}

function aRun(firingId: string, changes: Partial<NewCronRun> = {}): NewCronRun {
  return { firingId, kind: 'scheduled', due: 200, status: 'running', message: '{}', giveUpAt: 900, ...changes };
}

/** Opens runs of `j1`. Resolves with them, and with the refs of messages that must end first. */
async function open(bench: StoreBench, rules: CronRules, ...runs: readonly NewCronRun[]) {
  const opened = await bench.store.openCronRuns('j1', 1, rules, runs);
  if (opened.kind === 'stale') throw new Error('the job is stale');
  return opened;
}

/** Opens a run of `j1` whose message is accepted. */
async function openAccepted(bench: StoreBench, firingId: string, changes: Partial<NewCronRun> = {}) {
  const { runs } = await open(bench, QUEUE, aRun(firingId, changes));
  const run = runs[0] as CronRun;
  const { messageRef } = await bench.accept();
  await bench.store.noteCronRunAccepted(run.run, messageRef, 300);
  return { ...run, messageRef };
}

async function sweepAll(bench: StoreBench): Promise<void> {
  const limits = { framesBefore: 0, dedupeBefore: 0, sessionsBefore: undefined };
  while (await bench.store.sweep(limits));
}

const end = (run: CronRun, status: 'done' | 'failed' = 'done') => ({
  ...{ run: run.run, jobId: run.jobId, status, endedAt: 400, failures: Number(status === 'failed') },
});

/** The jobs of the cron scheduler. */
const jobs: Contract = {
  'adds a job once, within the limits of all and of its owner, with a row of the audit trail': async (bench) => {
    const { store } = bench;
    const add = (jobId: string, limits: { total: number; owned?: number }) =>
      store.addCronJob(aJob({ jobId }), limits, { ...NOTE, target: jobId });
    expect(await add('j1', { total: 2 })).toBe('added');
    expect(await add('j1', { total: 2 })).toBe('known');
    expect(await add('j2', { total: 1 })).toBe('full');
    expect(await add('j2', { total: 2, owned: 1 })).toBe('owner_full');
    expect(await add('j2', { total: 2, owned: 2 })).toBe('added');
    await bench.under.crash();
    expect(await bench.store.findCronJob('j1')).toEqual(aJob());
    expect((await bench.store.listAudit({ order: 'oldest', limit: 9 })).map(({ target }) => target)).toEqual([
      'j1',
      'j2',
    ]);
  },

  'changes a job that nothing else has changed meanwhile': async ({ store }) => {
    await store.addCronJob(aJob(), MANY, NOTE);
    const after = aJob({ version: 2, definition: '{"name":"other"}', isEnabled: false, nextDue: undefined });
    expect(await store.changeCronJob(after, 7, NOTE)).toBe(false);
    expect(await store.changeCronJob(after, 1, NOTE)).toBe(true);
    expect(await store.changeCronJob({ ...after, version: 3 }, 1, NOTE)).toBe(false);
    expect(await store.findCronJob('j1')).toEqual({ ...after, nextDue: undefined });
  },

  'lists jobs by tenant and owner, page by page': async ({ store }) => {
    for (const [jobId, tenant, owner] of [
      ['j3', 'default', 'ann'],
      ['j1', 'default', 'bob'],
      ['j2', 'acme', 'ann'],
    ] as const)
      await store.addCronJob(aJob({ jobId, tenant, owner }), MANY, NOTE);
    const ids = async (query: object) =>
      (await store.listCronJobs({ tenant: ALL_TENANTS, limit: 9, ...query })).map(({ jobId }) => jobId);
    expect(await ids({})).toEqual(['j1', 'j2', 'j3']);
    expect(await ids({ tenant: 'default' })).toEqual(['j1', 'j3']);
    expect(await ids({ tenant: 'default', owner: 'ann' })).toEqual(['j3']);
    expect(await ids({ after: 'j1', limit: 1 })).toEqual(['j2']);
  },

  'finds the jobs that are due, in their order, page by page': async ({ store }) => {
    for (const [jobId, wakeAt] of [
      ['late', 300],
      ['b', 100],
      ['a', 100],
      ['never', undefined],
      ['early', 50],
    ] as const)
      await store.addCronJob(aJob({ jobId, wakeAt, nextDue: wakeAt }), MANY, NOTE);
    const due = await store.listDueCronJobs(299, 2);
    expect(due.map(({ jobId }) => jobId)).toEqual(['early', 'a']);
    expect((await store.listDueCronJobs(300, 9, due[1])).map(({ jobId }) => jobId)).toEqual(['b', 'late']);
    expect(await store.readCronAgenda()).toEqual({ wakeAt: 50, isBusy: false });
  },

  'moves a job unless its schedule was changed, and finds those that are far ahead': async ({ store }) => {
    await store.addCronJob(aJob(), MANY, NOTE);
    const move = { jobId: 'j1', revision: 1, base: 200, lastDue: 200, nextDue: 300, wakeAt: 310 };
    await store.moveCronJob({ ...move, revision: 2, base: 7 });
    expect(await store.findCronJob('j1')).toEqual(aJob());
    await store.moveCronJob(move);
    await store.moveCronJob({ ...move, lastDue: undefined });
    expect(await store.findCronJob('j1')).toEqual(aJob({ base: 200, lastDue: 200, nextDue: 300, wakeAt: 310 }));
    expect(await store.listCronJobsAhead(200, 9)).toEqual([]);
    expect(await store.listCronJobsAhead(199, 9)).toHaveLength(1);
    await store.moveCronJob({ jobId: 'j1', revision: 1, base: 300 });
    expect(await store.readCronAgenda()).toEqual({ isBusy: false });
  },

  'disables a job with a reason, and lists those that an event starts': async ({ store }) => {
    await store.addCronJob(aJob({ event: 'door' }), MANY, NOTE);
    await store.addCronJob(aJob({ jobId: 'j2', event: 'door', tenant: 'acme' }), MANY, NOTE);
    expect((await store.listCronJobsOn('default', 'door')).map(({ jobId }) => jobId)).toEqual(['j1']);
    expect(await store.listCronJobsOn('default', 'lamp')).toEqual([]);
    await store.addCronJob(aJob({ jobId: 'j3', event: 'lamp' }), MANY, NOTE);
    await store.addCronJob(aJob({ jobId: 'j4' }), MANY, NOTE);
    expect((await store.listCronJobsOn('default')).map(({ jobId }) => jobId)).toEqual(['j1', 'j3']);
    await store.stopCronJob('j1', 'its maker is gone');
    await store.stopCronJob('j1', 'another reason');
    expect(await store.findCronJob('j1')).toMatchObject({ isEnabled: false, stopped: 'its maker is gone', version: 2 });
    expect(await store.listCronJobsOn('default', 'door')).toEqual([]);
  },

  'removes a job with its messages that wait': async (bench) => {
    const { store } = bench;
    await store.addCronJob(aJob(), MANY, NOTE);
    const waits = await openAccepted(bench, 'f1');
    await open(bench, QUEUE, aRun('f2'));
    expect(await store.removeCronJob('j1', { ...NOTE, action: 'cron.remove' })).toEqual([waits.messageRef]);
    expect(await store.removeCronJob('j1', NOTE)).toEqual([]);
    expect(await store.findCronJob('j1')).toBeUndefined();
    expect(await store.listOpenCronRuns(0, 9)).toEqual([]);
    expect((await store.listAudit({ order: 'oldest', limit: 9 })).map(({ action }) => action)).toEqual([
      'cron.add',
      'cron.remove',
    ]);
  },
};

/** Runs of jobs: each firing once, by the rules of its job. */
const runs: Contract = {
  'opens each firing once, also after a crash, and none of a job that was changed': async (bench) => {
    await bench.store.addCronJob(aJob(), MANY, NOTE);
    const [first] = (await open(bench, QUEUE, aRun('f1'))).runs;
    await bench.under.crash();
    expect((await open(bench, QUEUE, aRun('f1', { due: 999 }))).runs).toEqual([first]);
    expect((await bench.store.findCronJob('j1'))?.firings).toBe(1);
    expect(await bench.store.openCronRuns('j1', 2, QUEUE, [aRun('f2')])).toEqual({ kind: 'stale' });
    expect(await bench.store.openCronRuns('j9', 1, QUEUE, [aRun('f2')])).toEqual({ kind: 'stale' });
    await bench.store.stopCronJob('j1', 'stopped');
    expect(await bench.store.openCronRuns('j1', 1, QUEUE, [aRun('f2', { kind: 'event' })])).toEqual({ kind: 'stale' });
    expect((await open(bench, QUEUE, aRun('f3', { kind: 'manual' }))).runs).toMatchObject([{ status: 'running' }]);
    expect((await bench.store.findCronJob('j1'))?.firings).toBe(1);
  },

  'skips a run, lets it wait, or ends the last one, while that has not ended': async (bench) => {
    const { store } = bench;
    await store.addCronJob(aJob(), MANY, NOTE);
    const first = await openAccepted(bench, 'f1');
    expect((await open(bench, { overlap: 'skip' }, aRun('f2'))).runs).toMatchObject([
      { status: 'skipped', reason: 'the last run has not ended' },
    ]);
    const cancelling = await open(bench, { overlap: 'cancel_running' }, aRun('f3'));
    expect(cancelling).toMatchObject({ cancel: [first.messageRef], runs: [{ status: 'running' }] });
    expect((await open(bench, QUEUE, aRun('f4'))).runs).toMatchObject([{ status: 'running' }]);
    expect((await store.listCronRuns('j1', 9)).map(({ firingId }) => firingId)).toEqual(['f4', 'f3', 'f2', 'f1']);
    expect((await store.listCronRuns('j1', 1, first.run + 2)).map(({ firingId }) => firingId)).toEqual(['f2']);
    expect((await store.listCronRuns('j1', 1, first.run + 1))[0]?.reason).toBe('cancelled for the next run');
  },

  'starts a job as often as it may, and sums up events that come too soon': async (bench) => {
    await bench.store.addCronJob(aJob(), MANY, NOTE);
    const rules: CronRules = { overlap: 'queue', maxRuns: 2, minIntervalMs: 50 };
    const event = (firingId: string, due: number) => aRun(firingId, { kind: 'event', due });
    await open(bench, rules, event('e1', 200), event('e2', 249), event('e3', 240), event('e4', 250));
    await open(bench, rules, event('e5', 300), aRun('f1'), aRun('f2', { kind: 'manual' }));
    const found = (await bench.store.listCronRuns('j1', 9)).toReversed();
    expect(found.map(({ firingId, status, count }) => [firingId, status, count])).toEqual([
      ['e1', 'running', undefined],
      ['e2', 'skipped', 2],
      ['e4', 'running', undefined],
      ['e5', 'skipped', undefined],
      ['f1', 'skipped', undefined],
      ['f2', 'running', undefined],
    ]);
    expect(found[4]?.reason).toBe('it has run 2 times');
  },

  'lets at most 1,000 runs of a job wait': async (bench) => {
    await bench.store.addCronJob(aJob(), MANY, NOTE);
    for (let n = 0; n < 1_000; n++) await open(bench, QUEUE, aRun(`f${n}`));
    expect((await open(bench, QUEUE, aRun('f0'), aRun('more'))).runs).toMatchObject([
      { firingId: 'f0', status: 'running' },
      { firingId: 'more', status: 'skipped', reason: '1000 runs have not ended' },
    ]);
  },

  'lists runs until their message is accepted, then until it has ended': async (bench) => {
    const { store } = bench;
    await store.addCronJob(aJob(), MANY, NOTE);
    const [waits] = (await open(bench, QUEUE, aRun('f0'))).runs;
    const runsOf = async () => (await store.listEndedCronRuns(0, 9)).ended;
    const done = await openAccepted(bench, 'f1');
    expect((await store.listOpenCronRuns(0, 9)).map(({ firingId }) => firingId)).toEqual(['f0']);
    expect(await store.listOpenCronRuns(waits?.run ?? 0, 9)).toEqual([]);
    expect(await runsOf()).toEqual([]);
    const claim = await bench.claimOne();
    await store.finish(claim.lease, { frames: [], journal: [], status: 'done', reply: aReply({ endedAt: 350 }) });
    expect(await runsOf()).toMatchObject([{ run: { firingId: 'f1' }, outcome: 'stop', endedAt: 350 }]);
    expect(await store.readCronAgenda()).toMatchObject({ isBusy: true });
    await store.endCronRun(end(done));
    await store.endCronRun(end(done, 'failed'));
    await bench.under.crash();
    expect((await bench.store.listEndedCronRuns(0, 9)).ended).toEqual([]);
    expect((await bench.store.listCronRuns('j1', 1))[0]).toMatchObject({
      status: 'done',
      startedAt: 300,
      endedAt: 400,
    });
    expect((await bench.store.findCronJob('j1'))?.failures).toBe(0);
  },

  'distinguishes a failure, a cancelled message and a lost one, and starts the next try': async (bench) => {
    const { store } = bench;
    await store.addCronJob(aJob(), MANY, NOTE);
    const failed = await openAccepted(bench, 'f1');
    const claim = await bench.claimOne();
    const error = { code: 'AGENT_FAILED' as const, message: 'no model' };
    await store.finish(claim.lease, {
      ...{ frames: [], journal: [], status: 'failed' },
      reply: aReply({ reason: 'error', error: { ...error, retryable: false } }),
    });
    const { runs: opened } = await open(bench, QUEUE, aRun('f2'));
    await store.noteCronRunAccepted(opened[0]?.run ?? 0, 'no message', 300);
    const page = await store.listEndedCronRuns(0, 1);
    expect(page).toMatchObject({ ended: [{ outcome: 'error', error: 'no model' }], next: failed.run });
    expect(await store.listEndedCronRuns(failed.run, 9)).toMatchObject({ ended: [{ outcome: 'lost' }] });
    await store.noteCronRunReason(failed.messageRef, 'interrupted');
    await store.noteCronRunReason(failed.messageRef, 'another reason');
    expect((await store.listCronRuns('j1', 9))[1]?.reason).toBe('interrupted');
    await store.retryCronRun(failed.run, 2, 999);
    await store.retryCronRun(failed.run, 2, 1_999);
    expect(await store.listOpenCronRuns(0, 9)).toMatchObject([{ firingId: 'f1', attempt: 2, giveUpAt: 999 }]);
    await store.endCronRun({ ...end(failed, 'failed'), reason: 'no model', toldAt: 400 });
    expect(await store.findCronJob('j1')).toMatchObject({ failures: 1, toldAt: 400 });
  },

  'keeps the newest 200 runs of a job, those that have not ended besides, for 90 days': async (bench) => {
    await bench.store.addCronJob(aJob(), MANY, NOTE);
    const due = bench.under.now();
    await open(bench, QUEUE, aRun('runs', { due }));
    const skipped = Array.from({ length: KEPT_RUNS + 5 }, (_, n) =>
      aRun(`f${n}`, { due, status: 'skipped', reason: 'missed', message: undefined }),
    );
    await open(bench, QUEUE, ...skipped);
    const kept = await bench.store.listCronRuns('j1', 1_000);
    expect(kept).toHaveLength(KEPT_RUNS + 1);
    expect([kept[0]?.firingId, kept.at(-1)?.firingId]).toEqual([`f${KEPT_RUNS + 4}`, 'runs']);
    await bench.under.passTime(90 * DAY_MS + 1);
    await sweepAll(bench);
    expect((await bench.store.listCronRuns('j1', 1_000)).map(({ firingId }) => firingId)).toEqual(['runs']);
  },

  'deletes the session that was made for a run with its row, once nothing of it waits': async (bench) => {
    const { store } = bench;
    await store.addCronJob(aJob(), MANY, NOTE);
    const due = bench.under.now();
    const sessions = ['s_cron', 's_waits'];
    for (const [n, sessionId] of sessions.entries()) {
      const [run] = (await open(bench, QUEUE, aRun(`f${n}`, { due, sessionId }))).runs;
      const session = aSession(sessionId.slice(2), { mode: 'queue' });
      const { messageRef } = await bench.accept({ session, receivedAt: due });
      await store.noteCronRunAccepted(run?.run ?? 0, messageRef, due);
      if (n === 0) await bench.finish(await bench.claimOne());
      await store.endCronRun(end(run as CronRun));
    }
    const kept = async () => Promise.all(sessions.map(async (id) => (await bench.store.findSession(id)) !== undefined));
    await sweepAll(bench);
    expect(await kept()).toEqual([true, true]);
    await bench.under.passTime(90 * DAY_MS + 1);
    for (let n = 0; n < 9; n++) await store.sweep({ framesBefore: 0, dedupeBefore: 0, sessionsBefore: undefined });
    expect(await kept()).toEqual([false, true]);
    await bench.finish(await bench.claimOne());
    await sweepAll(bench);
    expect(await kept()).toEqual([false, false]);
  },
};

export const cronContract: Contract = { ...jobs, ...runs };
