import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import { AgentsService } from '../agents/agents.service.js';
import { failpoint } from '../failpoints/failpoint.js';
import { MessageQueueService } from '../queue/message-queue.service.js';
import type { FiringFacts } from '../sessions/firing.js';
import { SessionResources } from '../sessions/session-resources.js';
import {
  clientOfCronJob,
  CronStore,
  type CronJob,
  type CronRun,
  type EndedCronRun,
  type NewCronRun,
} from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { countEach, Metrics, type Counter } from '../telemetry/metrics.js';
import { Clock, DAY_MS, HOUR_MS } from '../time/clock.js';
import { messageIdOf, noteIdOf } from './firing-id.js';
import { buildMessage, placeOf, placeOfChat, type FiringMessage, type FiringPlace } from './firing-message.js';
import { fillText, type FiringValues } from './firing-text.js';
import { chatOf, definitionOf, graceOf, type JobDefinition } from './job.js';
import type { MakerRights } from './maker-rights.service.js';
import { ON_TIME_MS } from './missed.js';
import { Slices } from './slices.js';
import { formatTime } from './timezone.js';

/** Runs that are looked at, or submitted, together. */
const PAGE = 500;
/** Failures in a row after which the chat is notified. */
const MANY_FAILURES = 5;

const STATUSES = ['done', 'failed', 'skipped'] as const;

/** A firing to be opened. */
export interface Firing extends Pick<NewCronRun, 'firingId' | 'kind'>, FiringValues {}

/** Brings the runs of jobs from their rows to the queue, and from the ends of their messages to their own. */
@Injectable()
export class CronRunsService {
  private readonly log: Log;
  private readonly slices: Slices;
  /** The sessions that had no room at this look. */
  private readonly full = new Set<string>();
  private readonly counted: Readonly<Record<(typeof STATUSES)[number], Counter>>;

  // oxlint-disable-next-line max-params -- what a run needs on its way, each from its own service
  constructor(
    private readonly store: CronStore,
    private readonly queue: MessageQueueService,
    private readonly agents: AgentsService,
    private readonly resources: SessionResources,
    private readonly clock: Clock,
    metrics: Metrics,
    logs: Logs,
  ) {
    this.log = logs.for('cron');
    this.slices = new Slices(clock);
    this.counted = countEach(metrics, {
      name: 'openclaw_cron_runs_total',
      help: 'Runs of cron jobs that have ended, and due times that were skipped, by status.',
      label: 'status',
      values: STATUSES,
    });
    queue.onInterrupt((messageRef) => this.noteInterrupt(messageRef));
  }

  /**
   * Builds the row of a firing, with the message that it will submit.
   * @throws GatewayError NOT_FOUND if the agent of the job does not exist
   */
  build(
    job: CronJob,
    definition: JobDefinition,
    rights: Extract<MakerRights, { kind: 'has' }>,
    firing: Firing,
  ): NewCronRun {
    const { firingId, kind, due, now } = firing;
    const place = placeOf(definition, job.jobId, firingId);
    const { timeoutMs, approvalWaitMs, schedule } = definition;
    const facts: FiringFacts = {
      job_id: job.jobId,
      due: formatTime(due, schedule.timezone),
      ...(timeoutMs !== undefined && { timeout_ms: timeoutMs }),
      approval_wait_ms: approvalWaitMs,
      ...(rights.permissions && { permissions: rights.permissions }),
      may_command: rights.mayCommand,
    };
    const agent = this.chooseAgent(job, definition, place);
    const { json, session } = buildMessage(job.tenant, agent, place, fillText(definition, firing), facts);
    return {
      firingId,
      kind,
      due,
      status: 'running',
      message: json,
      giveUpAt: kind === 'scheduled' ? giveUpAtOf(definition, due, now) : now + HOUR_MS,
      ...('isolated' in definition.target && { sessionId: session.id }),
    };
  }

  /** Counts due times that were skipped. */
  countSkipped(times: number): void {
    this.counted.skipped.add(times);
  }

  /** Submits the messages of all runs that no queue has accepted yet: after a crash, and while the queue was full. */
  async submitOpen(): Promise<void> {
    this.full.clear();
    for (let after = 0; ;) {
      const open = await this.store.listOpenCronRuns(after, PAGE);
      const bySession = Map.groupBy(open, sessionOf);
      await Promise.all([...bySession.values()].map((runs) => this.submitEach(runs)));
      if (open.length < PAGE) return;
      after = open.at(-1)?.run ?? after;
    }
  }

  private async submitEach(runs: readonly CronRun[]): Promise<void> {
    for (const run of runs) await this.submit(run);
  }

  /**
   * Submits the message of a run, under the same ID each time. Resolves with false if that has to be repeated later.
   * @throws GatewayError STORE_UNAVAILABLE
   */
  async submit(run: CronRun): Promise<boolean> {
    if (run.status !== 'running' || run.messageRef !== undefined || run.message === undefined) return true;
    await this.slices.pause();
    const now = this.clock.now();
    const { session, payload } = JSON.parse(run.message) as FiringMessage;
    // No run passes one that its session has no room for, but to be given up.
    if (this.full.has(session.id) && now < run.giveUpAt) return false;
    const { tenant, jobId, firingId, attempt } = run;
    try {
      const { messageRef } = await this.queue.enqueue({
        client: clientOfCronJob(tenant, jobId),
        messageId: messageIdOf(firingId, jobId, attempt),
        session,
        namesSession: false,
        payload,
        isAddressed: true,
        priority: 1,
        receivedAt: now,
      });
      failpoint('cron.after_accept');
      await this.store.noteCronRunAccepted(run.run, messageRef, now);
      return true;
    } catch (error) {
      const { code, message, retryable } = GatewayError.from(error);
      if (code === 'STORE_UNAVAILABLE') throw error;
      this.full.add(session.id);
      if (retryable && now < run.giveUpAt) return false;
      await this.end({ run, outcome: 'error', error: `it was not accepted: ${message}`, endedAt: now }, true);
      return true;
    }
  }

  /** Notes the ends of runs whose messages have ended. */
  async settle(): Promise<void> {
    for (let after: number | undefined = 0; after !== undefined;) {
      const page = await this.store.listEndedCronRuns(after, PAGE);
      const byJob = Map.groupBy(page.ended, ({ run }) => run.jobId);
      await Promise.all([...byJob.values()].map((ended) => this.settleEach(ended)));
      after = page.next;
    }
  }

  /** Sends a note to the chat of a job, once for a firing and a kind of note. */
  async tell(job: CronJob, firingId: string, kind: string, text: string): Promise<void> {
    const definition = definitionOf(job);
    const chat = chatOf(definition);
    if (!chat) return this.log.warn({ job_id: job.jobId, job: definition.name }, text);
    const place = placeOfChat(chat, job.jobId);
    const facts = { job_id: job.jobId, due: '', approval_wait_ms: 0, may_command: false, is_notice: true };
    const { json } = buildMessage(job.tenant, this.chooseAgent(job, definition, place), place, text, facts);
    const { session, payload } = JSON.parse(json) as FiringMessage;
    await this.queue.enqueue({
      client: clientOfCronJob(job.tenant, job.jobId),
      messageId: noteIdOf(firingId, job.jobId, kind),
      session,
      namesSession: false,
      payload,
      isAddressed: true,
      priority: 1,
      receivedAt: this.clock.now(),
    });
  }

  /** The ends of one job, in their order: each depends on the failures before it. */
  private async settleEach(ended: readonly EndedCronRun[]): Promise<void> {
    for (const one of ended) {
      await this.slices.pause();
      await this.end(one, false);
    }
  }

  private async end(ended: EndedCronRun, isFinal: boolean): Promise<void> {
    const { run, outcome, usage, endedAt } = ended;
    const job = await this.store.findCronJob(run.jobId);
    const retries = job ? definitionOf(job).retries : 0;
    if (!isFinal && outcome === 'error' && run.attempt <= retries)
      return this.store.retryCronRun(run.run, run.attempt + 1, this.clock.now() + HOUR_MS);
    const hasFailed = outcome === 'error' || outcome === 'lost';
    const failures = outcome === 'stop' ? 0 : (job?.failures ?? 0) + Number(hasFailed);
    const reason = describeEnd(ended);
    const toldAt = job && (await this.tryToReport(job, run, { failures, endedAt, reason }));
    const status = outcome === 'stop' ? 'done' : 'failed';
    await this.store.endCronRun({ run: run.run, jobId: run.jobId, status, reason, usage, endedAt, failures, toldAt });
    this.counted[status].add();
    if (run.sessionId !== undefined) await this.resources.end(run.sessionId);
  }

  /** Reports failures. The note of a chat that has no room for it now is sent at the next end. */
  private async tryToReport(...all: Parameters<CronRunsService['reportFailures']>): Promise<number | undefined> {
    try {
      return await this.reportFailures(...all);
    } catch (error) {
      if (GatewayError.from(error).code === 'STORE_UNAVAILABLE') throw error;
      this.log.warn({ error, job_id: all[0].jobId }, 'the failures of a job could not be reported in its chat');
      return all[0].toldAt;
    }
  }

  /** Reports failures after some in a row and then once a day, and the first success after that. Returns `toldAt`. */
  private async reportFailures(
    job: CronJob,
    { firingId, attempt }: CronRun,
    end: { readonly failures: number; readonly endedAt: number; readonly reason: string | undefined },
  ): Promise<number | undefined> {
    const { failures, endedAt, reason } = end;
    const { name } = definitionOf(job);
    const noteId = messageIdOf(firingId, job.jobId, attempt);
    if (failures === 0) {
      if (job.toldAt !== undefined) await this.tell(job, noteId, 'works', `The job ${name} works again.`);
      return undefined;
    }
    const isDue = failures > job.failures && failures >= MANY_FAILURES;
    if (!isDue || (job.toldAt !== undefined && endedAt - job.toldAt < DAY_MS)) return job.toldAt;
    await this.tell(
      job,
      noteId,
      'fails',
      `The job ${name} has failed ${failures} times in a row: ${reason ?? 'no reason'}`,
    );
    return endedAt;
  }

  private chooseAgent({ tenant, jobId }: CronJob, definition: JobDefinition, place: FiringPlace): string {
    const { agent } = definition;
    if (agent === undefined) return this.agents.choose({ tenant, principal: `cron:${jobId}`, ...place }).id;
    const known = this.agents.findFor(tenant, agent);
    if (!known) throw new GatewayError('NOT_FOUND', { what: `agent ${agent}` });
    return known.id;
  }

  private noteInterrupt(messageRef: string): void {
    this.store.noteCronRunReason(messageRef, 'interrupted by a message').catch((error: unknown) => {
      this.log.debug({ error, message_ref: messageRef }, 'the reason of an interrupted run is not stored');
    });
  }
}

/**
 * Returns until when a due time is tried to be accepted: for as long as it would be made up for, and for a while where it
 * starts at the end of that time. One that `misfire: all` makes up for may be older.
 */
function giveUpAtOf(definition: JobDefinition, due: number, now: number): number {
  const base = definition.misfire === 'all' ? now : due;
  return Math.max(base + graceOf(definition), now + ON_TIME_MS);
}

/** Returns the ID of the session of a run that has a message. */
function sessionOf({ message = '{}' }: CronRun): string {
  return (JSON.parse(message) as Partial<FiringMessage>).session?.id ?? '';
}

/** Returns why a run has not ended well. */
function describeEnd({ run, outcome, error }: EndedCronRun): string | undefined {
  if (outcome === 'stop') return undefined;
  return error ?? run.reason ?? (outcome === 'lost' ? 'its message is gone' : outcome);
}
