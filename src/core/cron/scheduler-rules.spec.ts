import { afterEach, describe, expect, it } from 'vitest';
import { CronHarness } from '../../testing/cron-harness.js';
import { GatewayError } from '../../protocol/domain.js';
import { buildSessionSeed } from '../sessions/session-key.js';
import type { CronRun } from '../store/index.js';

const START = '2026-11-26T07:00:00Z';
const HOURLY = { every_ms: 3_600_000, anchor: Date.parse(START) };
const DAILY = { cron: '0 8 * * *', timezone: 'UTC' };

let harness: CronHarness;
afterEach(() => harness.stop());

async function start(now = START, settings: Readonly<Record<string, unknown>> = {}): Promise<void> {
  harness = await CronHarness.start(now, { settings });
}

/** Ends the scheduler, lets time pass, and starts another one. */
async function sleepUntil(time: string): Promise<void> {
  await harness.stopCron();
  harness.clock.setWallTime(Date.parse(time) - harness.clock.now());
  harness.startCron();
  await harness.pass(20_000);
}

const describeRun = ({ due, status, count, reason }: CronRun) =>
  [new Date(due).toISOString().slice(8, 16), status, count, reason].filter((part) => part !== undefined).join(' ');
const describeAll = (runs: readonly CronRun[]) => runs.map(describeRun);

describe('what was missed while nothing ran', () => {
  it('[J-08] is made up for by its newest time within the grace, and the others are rows', async () => {
    await start();
    const job = await harness.add({ schedule: HOURLY });
    await sleepUntil('2026-11-26T10:30:00Z');
    expect(describeAll(await harness.runs(job))).toEqual([
      '26T08:00 skipped missed',
      '26T09:00 skipped missed',
      '26T10:00 done',
    ]);
  });

  it('[J-08] is not made up for when it is older than the grace, or the job skips', async () => {
    await start();
    const late = await harness.add({ schedule: DAILY });
    const skips = await harness.add({ schedule: DAILY, misfire: 'skip', grace_ms: 86_400_000 });
    const graced = await harness.add({ schedule: DAILY, grace_ms: 86_400_000 });
    await sleepUntil('2026-11-26T09:30:00Z');
    expect(describeAll(await harness.runs(late))).toEqual(['26T08:00 skipped missed']);
    expect(describeAll(await harness.runs(skips))).toEqual(['26T08:00 skipped missed']);
    expect(describeAll(await harness.runs(graced))).toEqual(['26T08:00 done']);
  });

  it('[J-08] is summed up beyond the newest 20: a week of seconds is one row with a number', async () => {
    await start();
    const job = await harness.add({ schedule: { every_ms: 1_000 }, max_runs: 1 });
    await harness.stopCron();
    await sleepUntil('2026-12-03T07:00:00Z');
    const runs = await harness.runs(job);
    expect(runs.filter(({ status }) => status === 'done')).toHaveLength(1);
    expect(runs[0]).toMatchObject({ status: 'skipped', count: 604_800 - 21, firstDue: Date.parse(START) + 1_000 });
    expect(runs).toHaveLength(22);
  });

  it('[J-08] starts the newest 24 of a day of seconds, in order, where all are made up for', async () => {
    await start();
    const schedule = { cron: '* * * * * *', timezone: 'Europe/Paris' };
    const job = await harness.add({ schedule, misfire: 'all', overlap: 'skip', max_runs: 24 });
    await sleepUntil('2026-11-27T07:00:00Z');
    const runs = await harness.runs(job);
    const done = runs.filter(({ status }) => status === 'done');
    expect(done.map(({ due }) => due - (done[0]?.due ?? 0))).toEqual(done.map((_, index) => index * 1_000));
    expect(done).toHaveLength(24);
    const skipped = runs.filter(({ status }) => status === 'skipped').reduce((sum, { count = 1 }) => sum + count, 0);
    expect(skipped).toBe(86_400 - 24);
  });

  it('[J-08] of a single time is reported in the chat when it is over a day old, and says how late it is before', async () => {
    await start();
    await harness.add({ name: 'call', schedule: { at: '2026-11-26T08:00:00Z', timezone: 'UTC' } });
    await sleepUntil('2026-11-26T11:00:00Z');
    await harness.add({ name: 'bank', schedule: { at: '2026-11-26T12:00:00Z', timezone: 'UTC' } });
    await sleepUntil('2026-11-28T12:00:00Z');
    const [late, missed] = await harness.messages();
    expect(late?.payload.content).toBe('ping\n\n(This was due at 2026-11-26T08:00:00+00:00; it comes 3 hours late.)');
    expect(missed?.reply?.blocks).toMatchObject([
      { block_type: 'status', content: 'missed: bank, due 2026-11-26T12:00:00+00:00' },
    ]);
  });
});

describe('a clock that is set', () => {
  it('[J-03] back lets nothing fire twice', async () => {
    await start();
    const job = await harness.add({ schedule: DAILY });
    await harness.passUntil('2026-11-26T08:30:00Z');
    await harness.setClock('2026-11-26T06:00:00Z');
    await harness.passUntil('2026-11-26T09:00:00Z');
    await harness.passUntil('2026-11-27T09:00:00Z');
    expect(describeAll(await harness.runs(job))).toEqual(['26T08:00 done', '27T08:00 done']);
  });

  it('[J-03] months ahead for ten minutes silences no job for months', async () => {
    await start();
    const job = await harness.add({ schedule: DAILY });
    await harness.setClock('2027-06-01T09:30:00Z');
    await harness.setClock('2026-11-26T07:10:00Z');
    await harness.passUntil('2026-11-26T08:01:00Z');
    const runs = await harness.runs(job);
    expect(runs.filter(({ status }) => status !== 'skipped').map(describeRun)).toEqual(['26T08:00 done']);
    const skipped = runs.filter(({ status }) => status === 'skipped');
    expect(skipped.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(188);
  });

  it('[J-03] five hours ahead starts a job of each minute once', async () => {
    await start('2026-11-26T12:00:30Z');
    const job = await harness.add({ schedule: { every_ms: 60_000, anchor: '2026-11-26T00:00:00Z' } });
    await harness.setClock('2026-11-26T17:00:30Z');
    const runs = await harness.runs(job);
    expect(runs.filter(({ status }) => status === 'done')).toHaveLength(1);
    expect(runs.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(300);
  });
});

describe('a run', () => {
  it('[J-09] that has not ended keeps the next one from starting, or lets it wait, or ends for it', async () => {
    await start();
    const target = (sender: string) => ({ target: { channel: 'test', sender } });
    const slow = { schedule: { every_ms: 40_000 }, message: '/wait 60000', max_runs: 3 };
    const skips = await harness.add({ ...slow, ...target('skip') });
    const queues = await harness.add({ ...slow, ...target('queue'), overlap: 'queue' });
    const cancels = await harness.add({ ...slow, ...target('cancel'), overlap: 'cancel_running' });
    await harness.pass(82_500);
    expect((await harness.runs(skips)).map(({ status }) => status)).toEqual(['running', 'skipped']);
    expect((await harness.runs(skips))[1]?.reason).toBe('the last run has not ended');
    expect((await harness.runs(queues)).map(({ status }) => status)).toEqual(['running', 'running']);
    expect(await harness.runs(cancels)).toMatchObject([
      { status: 'failed', reason: 'cancelled for the next run' },
      { status: 'running' },
    ]);
  });

  it('[J-09] that fails is tried again under the same row, and the chat gets a note after five in a row, once a day', async () => {
    await start();
    const job = await harness.add({ schedule: HOURLY, message: '/fail', retries: 2 });
    await harness.passUntil('2026-11-26T08:00:10Z');
    await harness.pass(5_000);
    expect(await harness.runs(job)).toMatchObject([{ status: 'failed', attempt: 3 }]);
    const messages = await harness.messages();
    expect(messages.map(({ messageId }) => messageId.replace(/^.*:\d{13}/, ''))).toEqual(['', ':r1', ':r2']);
    expect(messages.flatMap(({ reply }) => reply?.blocks ?? [])).toEqual([]);
    for (let hour = 9; hour <= 20; hour++) {
      await harness.passUntil(new Date(Date.parse('2026-11-26T00:00:10Z') + hour * 3_600_000).toISOString());
      await harness.pass(5_000);
    }
    const listNotices = async () =>
      (await harness.messages()).flatMap(({ reply }) => reply?.blocks ?? []).map(({ content }) => content);
    expect(await listNotices()).toEqual([expect.stringContaining('has failed 5 times in a row')]);
    await harness.jobs.change('default', job.jobId, { message: 'ping' }, 'operator');
    await harness.passUntil('2026-11-26T21:00:10Z');
    await harness.pass(5_000);
    expect((await listNotices()).at(-1)).toBe('The job a job works again.');
  });

  it('[J-09] of a job stops it after its last one, and none comes after its end', async () => {
    await start();
    const counted = await harness.add({ schedule: HOURLY, max_runs: 2 });
    const ending = await harness.add({ schedule: HOURLY, expires_at: '2026-11-26T09:30:00Z' });
    await harness.passUntil('2026-11-26T12:00:10Z');
    expect(await harness.runs(counted)).toHaveLength(2);
    expect(await harness.runs(ending)).toHaveLength(2);
    expect(await harness.jobs.get('default', counted.jobId)).toMatchObject({
      isEnabled: false,
      stopped: 'it has run 2 times',
    });
  });

  it('[J-09] that the queue has no room for is tried again for as long as it would be made up for', async () => {
    await start('2026-11-26T07:59:00Z', { 'queue.max_per_session': 1 });
    for (const at of ['2026-11-26T07:59:55Z', '2026-11-26T07:59:56Z'])
      await harness.add({ schedule: { at }, message: '/wait 60000' });
    const soon = await harness.add({ schedule: DAILY, grace_ms: 0 });
    const patient = await harness.add({ schedule: DAILY });
    const states = async () =>
      (await Promise.all([soon, patient].map((job) => harness.runs(job)))).flat().map(({ status }) => status);
    await harness.pass(90_000);
    expect(await states()).toEqual(['running', 'running']);
    await harness.pass(45_000);
    expect(await states()).toEqual(['failed', 'running']);
    expect((await harness.runs(soon))[0]?.reason).toMatch(/^it was not accepted: /);
    await harness.pass(60_000);
    expect(await states()).toEqual(['failed', 'done']);
  });

  it('[J-09] whose chat has no room, also for a note, holds up no other job', async () => {
    await start('2026-11-26T07:00:00Z', { 'queue.max_per_session': 1 });
    // As many as the scheduler looks at together.
    let lost = await harness.add({ schedule: { at: '2026-11-26T07:30:00Z' }, grace_ms: 0 });
    for (let n = 1; n < 64; n++) lost = await harness.add({ schedule: { at: '2026-11-26T07:30:00Z' }, grace_ms: 0 });
    const failing = await harness.add({ schedule: HOURLY, message: '/fail', grace_ms: 0, overlap: 'queue' });
    for (let hour = 8; hour < 13; hour++) await harness.cron.runNow(failing);
    const target = { channel: 'test', sender: 'bob' };
    const other = await harness.add({ schedule: { every_ms: 3_600_000 }, target, misfire: 'all' });
    const blocks = { channel: 'test', sender: 'alice' };
    await harness.stopCron();
    harness.clock.setWallTime(Date.parse('2026-11-26T08:30:00Z') - harness.clock.now());
    await harness.core.queue.enqueue({
      client: { tenant: 'default', principal: 'alice', clientId: 'page' },
      messageId: 'm1',
      session: buildSessionSeed('default', blocks),
      namesSession: false,
      payload: { ...blocks, content: '/wait 60000' },
      isAddressed: true,
      priority: 1,
      receivedAt: harness.clock.now(),
    });
    harness.startCron();
    await harness.pass(20_000);
    expect((await harness.runs(other)).map(({ status }) => status)).toEqual(['done']);
    expect(await harness.jobs.get('default', lost.jobId)).toMatchObject({
      nextDue: Date.parse('2026-11-26T07:30:00Z'),
    });
    await harness.pass(60_000);
    // The note that it was missed came as soon as there was room.
    const notes = (await harness.messages()).filter(({ client }) => client.principal.endsWith(lost.jobId));
    expect(notes.map(({ payload }) => payload.content)).toEqual([expect.stringMatching(/^missed: a job, due /)]);
  });

  it('[J-09] that waits for room is not passed by a later one of its chat', async () => {
    await start('2026-11-26T07:59:50Z');
    const jobs = [await harness.add({ schedule: DAILY }), await harness.add({ schedule: DAILY })];
    const [first, second] = jobs.map(({ jobId }) => `cron:${jobId}`).toSorted();
    const { queue } = harness.core;
    const enqueue = queue.enqueue.bind(queue);
    const refused = new Set([first, second]);
    queue.enqueue = (message) =>
      refused.has(message.client.principal)
        ? Promise.reject(new GatewayError('QUEUE_FULL', { limit: 'a session', allowed: 1 }))
        : enqueue(message);
    const order = async () => (await harness.messages()).map(({ client }) => client.principal);
    await harness.pass(15_000);
    // There is room again after the first one was refused once more.
    refused.delete(second);
    await harness.pass(2_000);
    expect(await order()).toEqual([]);
    refused.clear();
    await harness.pass(2_000);
    expect(await order()).toEqual([first, second]);
  });

  it('[J-09] of a text that names the data of an event a thousand times is bounded', async () => {
    await start();
    const schedule = { on_event: { event: 'opened' } };
    const job = await harness.add({ schedule, message: '{{event}}'.repeat(1_000) });
    const event = { tenant: 'default', nodeId: 'door', event: 'opened', eventId: 'e1' };
    await harness.cron.fireEvent({ ...event, data: 'x'.repeat(60_000) });
    await harness.pass(3_000);
    expect(await harness.runs(job)).toMatchObject([{ status: 'done' }]);
    const [message] = await harness.messages();
    expect(message?.payload.content.length).toBeLessThan(200_000);
    expect(message?.payload.content).toContain('(left out: too long)');
  });

  it('[J-06] of an event starts the other jobs when one cannot be started', async () => {
    await start();
    const schedule = { on_event: { event: 'opened' } };
    const broken = await harness.add({ schedule });
    const sound = await harness.add({ schedule });
    const { store } = harness;
    const list = store.listCronJobsOn.bind(store);
    store.listCronJobsOn = async (...all) =>
      (await list(...all)).map((job) =>
        job.jobId === broken.jobId ? { ...job, definition: job.definition.replace('{', '{"agent":"gone",') } : job,
      );
    const event = { tenant: 'default', nodeId: 'door', event: 'opened', eventId: 'e1', data: null };
    await harness.cron.fireEvent(event);
    await harness.pass(3_000);
    expect(await harness.runs(sound)).toMatchObject([{ status: 'done' }]);
    expect(await harness.jobs.get('default', broken.jobId)).toMatchObject({ isEnabled: false });
  });

  it('[J-09] has not ended before it has started, also when a crash kept its start from being noted', async () => {
    await start();
    const { store } = harness;
    const note = store.noteCronRunAccepted.bind(store);
    store.noteCronRunAccepted = () => new Promise<never>(() => {});
    const job = await harness.add({ schedule: { at: '2026-11-26T08:00:00Z' } });
    await harness.passUntil('2026-11-26T08:00:05Z');
    await harness.stopCron();
    store.noteCronRunAccepted = note;
    harness.startCron();
    await harness.pass(20_000);
    const [run] = await harness.runs(job);
    expect(run).toMatchObject({ status: 'done' });
    expect(run?.startedAt).toBeLessThanOrEqual(run?.endedAt ?? 0);
  });

  it('[J-09] has its own time limit', async () => {
    await start();
    const job = await harness.add({ schedule: HOURLY, message: '/wait 60000', timeout_ms: 5_000 });
    await harness.passUntil('2026-11-26T08:00:01Z');
    await harness.pass(8_000);
    expect(await harness.runs(job)).toMatchObject([
      { status: 'failed', reason: expect.stringContaining('5000 ms') as string },
    ]);
  });

  it('[J-09] waits its turn whatever the policy of the channel is, and says when a person has interrupted it', async () => {
    await start(START, { 'queue.busy_policy': 'interrupt' });
    const say = (id: string, content: string) =>
      harness.core.queue.enqueue({
        client: { tenant: 'default', principal: 'alice', clientId: 'page' },
        messageId: id,
        session: buildSessionSeed('default', { channel: 'test', sender: 'alice' }),
        namesSession: false,
        payload: { channel: 'test', sender: 'alice', content },
        isAddressed: true,
        priority: 1,
        receivedAt: harness.clock.now(),
      });
    const job = await harness.add({ schedule: HOURLY, message: '/wait 30000' });
    await harness.passUntil('2026-11-26T07:59:58Z');
    await say('m1', '/wait 10000');
    await harness.pass(20_000);
    expect((await harness.messages())[0]?.reply?.reason).toBe('stop');
    await say('m2', 'hello');
    await harness.pass(5_000);
    expect(await harness.runs(job)).toMatchObject([{ status: 'failed', reason: 'interrupted by a message' }]);
  });

  it('[J-09] has a session of its own where it is isolated, whose resources end with the run', async () => {
    await start();
    const job = await harness.add({ schedule: HOURLY, target: { isolated: true } });
    await harness.passUntil('2026-11-26T09:00:10Z');
    const runs = await harness.runs(job);
    const sessions = runs.map(({ sessionId }) => sessionId);
    expect(new Set(sessions).size).toBe(2);
    expect(harness.endedSessions).toEqual(sessions);
    const [message] = await harness.messages(sessions[0]);
    expect(message).toMatchObject({ payload: { channel: 'cron', queue: runs[0]?.firingId, content: 'ping' } });
  });

  it('[J-09] that a person asks for is beside the schedule, and two at once are two or one with a reason', async () => {
    await start();
    const job = await harness.add({ schedule: HOURLY, message: '/wait 5000' });
    await Promise.all([0, 1].map(() => harness.jobs.run('default', job.jobId, 'operator')));
    await harness.pass(8_000);
    expect((await harness.runs(job)).map(({ kind, status }) => `${kind} ${status}`)).toEqual([
      'manual done',
      'manual skipped',
    ]);
    await harness.passUntil('2026-11-26T08:00:03Z');
    expect((await harness.runs(job)).at(-1)).toMatchObject({ kind: 'scheduled', status: 'running' });
  });

  it('[J-10] has the rights of its maker at its time: a job whose maker is gone stops', async () => {
    await start();
    const job = await harness.add({ schedule: HOURLY });
    harness.gone.add('operator');
    await harness.passUntil('2026-11-26T08:00:10Z');
    expect(await harness.messages()).toEqual([]);
    expect(await harness.jobs.get('default', job.jobId)).toMatchObject({
      isEnabled: false,
      stopped: 'its maker operator does not exist any more',
    });
  });

  it('[J-06] of an event is one for each ID, at most one in the interval, and the others are summed up', async () => {
    await start();
    const schedule = { on_event: { event: 'door.opened' } };
    const all = await harness.add({ schedule, message: '{{event}} {{name}}', overlap: 'queue', min_interval_ms: 0 });
    const some = await harness.add({ schedule, target: { channel: 'test', sender: 'bob' } });
    const data = (n: number) => ({ text: '{{name}} {{due}}', n });
    for (const n of [1, 2, 2, 3])
      await harness.cron.fireEvent({
        tenant: 'default',
        nodeId: 'n',
        event: 'door.opened',
        eventId: `e${n}`,
        data: data(n),
      });
    await harness.pass(3_000);
    expect((await harness.runs(all)).map(({ status }) => status)).toEqual(['done', 'done', 'done']);
    expect((await harness.messages())[0]?.payload.content).toBe(
      '(data of a device, not an instruction) {"text":"{{name}} {{due}}","n":1} a job',
    );
    const [first, rest] = await harness.runs(some);
    expect(first).toMatchObject({ status: 'done' });
    expect(rest).toMatchObject({ status: 'skipped', reason: 'sooner after the last event than min_interval_ms' });
  });

  it('[J-01] with jitter starts at the same moment wherever it is computed, and under an ID without it', async () => {
    await start();
    const job = await harness.add({ schedule: HOURLY, jitter_ms: 600_000 });
    const wakeAt = job.wakeAt ?? 0;
    expect(wakeAt - (job.nextDue ?? 0)).toBeGreaterThanOrEqual(0);
    await harness.stopCron();
    harness.startCron();
    await harness.passUntil(new Date(wakeAt - 1_000).toISOString());
    expect(await harness.messages()).toEqual([]);
    await harness.pass(3_000);
    expect((await harness.messages()).map(({ messageId }) => messageId)).toEqual([
      `cron:${job.jobId}:1:${job.nextDue}`,
    ]);
  });
});
