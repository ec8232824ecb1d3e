import { afterEach, describe, expect, it } from 'vitest';
import { definitionOf } from '../../core/cron/job.js';
import type { JobInput } from '../../core/cron/job-schema.js';
import { buildSessionSeed } from '../../core/sessions/session-key.js';
import type { MessageWithReply } from '../../core/store/index.js';
import { CronHarness } from '../../testing/cron-harness.js';
import { anAgent } from '../../testing/factories.js';
import { JobDeskService, type JobCall } from './job-desk.service.js';

const START = '2026-11-26T07:00:00Z';
const HOURLY = { every_ms: 3_600_000 };
const MAX_OWNED = 50;

let harness: CronHarness;
let desk: JobDeskService;
let calls = 0;
afterEach(() => harness.stop());

/** @param permissions of the agent, by which runs hold them too */
async function start(permissions: readonly string[] = ['cron']): Promise<void> {
  harness = await CronHarness.start(START);
  await harness.core.config.open(harness.core.store);
  await permit(permissions);
  desk = new JobDeskService(harness.jobs, harness.core.queue, harness.core.tools);
}

async function permit(permissions: readonly string[]): Promise<void> {
  const { config } = harness.core;
  await config.change(config.version, { 'tools.default_permissions': permissions }, 'operator');
}

/** The call of a tool in the turn of a message. */
async function callIn(message: MessageWithReply, permissions = ['cron']): Promise<JobCall> {
  const session = await harness.core.store.findSession(message.sessionId);
  if (!session) throw new Error('the session is gone');
  const { messageRef, sessionId, client } = message;
  return {
    callId: `call-${++calls}`,
    session,
    caller: client,
    agent: anAgent({ permissions }),
    turn: { messageRef, chain: [], personal: { messageRef, sessionId }, show: async () => {}, addBlock: () => {} },
  };
}

/** The call of a tool in a turn of a person. */
async function callOf(sender: string, permissions?: string[]): Promise<JobCall> {
  const session = buildSessionSeed('default', { channel: 'test', sender });
  await harness.core.queue.enqueue({
    client: { tenant: 'default', principal: sender, clientId: 'page' },
    messageId: `m-${++calls}`,
    session,
    namesSession: false,
    payload: { channel: 'test', sender, content: 'hello' },
    isAddressed: true,
    priority: 1,
    receivedAt: harness.clock.now(),
  });
  await harness.pass(1_000);
  return callIn((await harness.messages(session.id)).at(-1) as MessageWithReply, permissions);
}

/** Lets an hour pass, and what is due then. */
async function passAnHour(): Promise<void> {
  await harness.passUntil(new Date(harness.clock.now() + 3_605_000).toISOString());
}

const job = (changes: Partial<JobInput> = {}) => ({ name: 'tea', schedule: HOURLY, message: 'tea time', ...changes });
const idsOf = async (call: JobCall) => (await desk.list(call)).jobs.map(({ job_id }) => job_id);

describe('the jobs that tools make', () => {
  it('[J-11] are at most 50 for a sender, and one for a call that is repeated', async () => {
    await start();
    const call = await callOf('alice');
    const first = await desk.add(job(), call);
    expect(await desk.add(job(), call)).toEqual(first);
    const next = async () => desk.add(job(), { ...call, callId: `call-${++calls}` });
    for (let n = 1; n < MAX_OWNED; n++) await next();
    await expect(next()).rejects.toMatchObject({
      details: { faults: [{ message: `there are ${MAX_OWNED} jobs of this sender already, which is the limit` }] },
    });
    await desk.add(job(), await callOf('bob'));
    await desk.remove(first.job_id, call);
    await next();
    expect(await idsOf(call)).toHaveLength(MAX_OWNED);
  });

  it('[J-11] in a run count for the sender of the job that runs, and have its rights', async () => {
    await start();
    const parent = await desk.add(job({ target: { isolated: true } }), await callOf('alice'));
    await passAnHour();
    const [run] = await harness.runs({ jobId: parent.job_id });
    const [message] = await harness.messages(run?.sessionId);
    const call = await callIn(message as MessageWithReply, ['cron', 'cron:any']);
    const child = await desk.add(job({ target: { channel: 'test', sender: 'bob' } }), call);
    const [made, by] = await Promise.all([child, parent].map(({ job_id }) => harness.jobs.get('default', job_id)));
    expect(made?.owner).toBe(by?.owner);
    // The session of the run may be gone before the job is.
    expect(made && definitionOf(made).maker).toEqual(by && definitionOf(by).maker);
  });

  it('[J-10] give no commands, also those that a run of an operator makes', async () => {
    await start(['cron', 'time']);
    const byOperator = await harness.add({ schedule: HOURLY, message: '/tool time.now {}' });
    const byPerson = await desk.add(job({ message: '/reset' }), await callOf('alice'));
    await passAnHour();
    const [message] = (await harness.messages()).filter(({ client }) => client.principal.endsWith(byOperator.jobId));
    const byRun = await desk.add(job({ message: '/tool time.now {}' }), await callIn(message as MessageWithReply));
    await passAnHour();
    const kindsOf = async (jobId: string) =>
      (await harness.messages())
        .filter(({ client }) => client.principal.endsWith(jobId))
        .flatMap(({ reply }) => reply?.blocks.map(({ block_type: kind }) => kind) ?? []);
    expect(await kindsOf(byOperator.jobId)).toContain('tool_result');
    expect(new Set(await kindsOf(byRun.job_id))).toEqual(new Set(['markdown']));
    // The session was not reset: all is there.
    expect(await kindsOf(byPerson.job_id)).toEqual(['markdown', 'markdown']);
  });

  it('[J-11] are those of one sender, or with cron:any of all, page by page', async () => {
    await start();
    const alice = await callOf('alice');
    const bob = await callOf('bob');
    const { job_id } = await desk.add(job(), alice);
    const elsewhere = { channel: 'test', sender: 'carol' };
    await expect(desk.add(job({ target: elsewhere }), bob)).rejects.toThrow('needs the permission cron:any');
    await expect(desk.change(job_id, { name: 'mine' }, bob)).rejects.toThrow(`there is no job ${job_id}`);
    await expect(desk.remove(job_id, bob)).rejects.toThrow(`there is no job ${job_id}`);
    await expect(desk.change(job_id, { target: elsewhere }, alice)).rejects.toThrow('cron:any');
    expect(await idsOf(bob)).toEqual([]);

    const warden = await callOf('warden', ['cron', 'cron:any']);
    expect(await idsOf(warden)).toEqual([job_id]);
    await desk.change(job_id, { target: elsewhere, name: 'theirs' }, warden);
    expect(definitionOf(await harness.jobs.get('default', job_id))).toMatchObject({
      name: 'theirs',
      target: elsewhere,
    });
    // Who answers is settled by who has made it.
    await expect(desk.change(job_id, { agent: 'main' }, warden)).rejects.toThrow('the agent of a job');
    for (let n = 0; n < 100; n++) await harness.add({ schedule: HOURLY });
    const page = await desk.list(warden);
    expect([page.jobs.length, page.next]).toEqual([100, page.jobs.at(-1)?.job_id]);
    expect(await desk.list(warden, page.next)).toMatchObject({ jobs: [{}] });
    await desk.remove(job_id, warden);
    expect(await idsOf(alice)).toEqual([]);
  });

  it('[J-12] are started by events of those devices that their maker may use, for as long as it may', async () => {
    await start(['cron', 'node:door']);
    const held = ['cron', 'node:door'];
    const call = await callOf('alice', held);
    const ofDoor = { on_event: { event: 'opened', node_id: 'door' } };
    await expect(desk.add(job({ schedule: { on_event: { event: 'opened' } } }), call)).rejects.toThrow(
      'a job for these events needs the permission node',
    );
    const other = { on_event: { event: 'opened', node_id: 'lamp' } };
    await expect(desk.add(job({ schedule: other }), call)).rejects.toThrow('node:lamp');
    const { job_id } = await desk.add(job({ schedule: ofDoor }), call);
    await expect(desk.change(job_id, { schedule: other }, call)).rejects.toThrow('node:lamp');
    const fire = async (eventId: string) => {
      await harness.cron.fireEvent({ tenant: 'default', nodeId: 'door', event: 'opened', eventId, data: null });
      await harness.pass(20_000);
      return (await harness.runs({ jobId: job_id })).length;
    };
    expect(await fire('e1')).toBe(1);
    await permit(['cron']);
    expect(await fire('e2')).toBe(1);
    expect(await harness.jobs.get('default', job_id)).toMatchObject({
      isEnabled: false,
      stopped: 'its maker lacks the permission node:door',
    });
  });
});
