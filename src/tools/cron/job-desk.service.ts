import { Injectable } from '@nestjs/common';
import { CronJobsService, type JobOwner } from '../../core/cron/cron-jobs.service.js';
import { definitionOf, type JobDefinition, type JobMaker } from '../../core/cron/job.js';
import { ownerOfSender } from '../../core/cron/job-owner.js';
import type { JobChangeInput, JobInput } from '../../core/cron/job-schema.js';
import { ANY_PERMISSION, findMissing } from '../../core/cron/maker-rights.service.js';
import { formatTime } from '../../core/cron/timezone.js';
import { describeSchedule } from '../../core/cron/words.js';
import { MessageQueueService } from '../../core/queue/message-queue.service.js';
import { isFiring } from '../../core/sessions/firing.js';
import { QUESTION_CHANNEL } from '../../core/sessions/question-channel.js';
import type { CronJob, StoredMessage } from '../../core/store/index.js';
import type { ToolCallContext } from '../../core/tools/tool.js';
import { ToolRegistryService } from '../../core/tools/tool-registry.service.js';

/** Jobs that one sender may have, if a tool makes them. */
const MAX_OWNED = 50;
/** Jobs of one page of a list. */
const PAGE = 100;
/** Due times that a job is shown with. */
const SHOWN_TIMES = 5;

/** A job, as an agent sees it. */
export interface JobSummary {
  readonly job_id: string;
  readonly name: string;
  readonly enabled: boolean;
  /** In words. */
  readonly schedule: string;
  readonly timezone: string;
  readonly message: string;
  /** The next due times, in ISO 8601 with the offset of the zone. */
  readonly next: readonly string[];
  readonly stopped?: string;
}

export interface JobPage {
  readonly jobs: readonly JobSummary[];
  /** The `after` of the next page, if there is one. */
  readonly next?: string;
}

/** The part of a call's context that decides whose jobs it may touch. */
export type JobCall = Pick<ToolCallContext, 'callId' | 'session' | 'caller' | 'agent' | 'turn'>;

/** Gives the tools of jobs the jobs of their caller: those of its sender, or all with `cron:any`. */
@Injectable()
export class JobDeskService {
  constructor(
    private readonly jobs: CronJobsService,
    private readonly queue: MessageQueueService,
    private readonly registry: ToolRegistryService,
  ) {}

  /** Adds a job for the chat of the call, or with `cron:any` for any chat. A repeat of the call finds its job. */
  async add(
    input: Omit<JobInput, 'target'> & { readonly target?: JobInput['target'] | undefined },
    call: JobCall,
  ): Promise<JobSummary> {
    const { target, ...rest } = input;
    if (target && !this.mayTouchAny(call) && !isOwn(target))
      throw new Error(`a job for another chat needs the permission ${ANY_PERMISSION}; leave out target for this chat`);
    this.checkEvents(rest.schedule, call);
    const owner = await this.findOwner(call);
    const job = { ...rest, target: target && !isOwn(target) ? target : targetOf(call, target), agent: call.agent.id };
    return this.summarise(await this.jobs.add(job, owner));
  }

  /** Lists jobs that the call may change, in the order of their IDs. @param after the `next` of the page before */
  async list(call: JobCall, after?: string): Promise<JobPage> {
    const { tenant, owner } = await this.findOwner(call);
    const query = { tenant, after, limit: PAGE + 1, ...(!this.mayTouchAny(call) && { owner }) };
    const found = await this.jobs.list(query);
    const jobs = await Promise.all(found.slice(0, PAGE).map((job) => this.summarise(job)));
    return { jobs, ...(found.length > PAGE && { next: jobs.at(-1)?.job_id ?? '' }) };
  }

  async change(jobId: string, change: JobChangeInput, call: JobCall): Promise<JobSummary> {
    if ('target' in change && !this.mayTouchAny(call))
      throw new Error(`a change of the target needs the permission ${ANY_PERMISSION}`);
    if ('agent' in change) throw new Error('the agent of a job is the one that has made it');
    if (change.schedule) this.checkEvents(change.schedule, call);
    const { tenant, actor } = await this.check(jobId, call);
    return this.summarise(await this.jobs.change(tenant, jobId, change, actor));
  }

  async remove(jobId: string, call: JobCall): Promise<void> {
    const { tenant, actor } = await this.check(jobId, call);
    await this.jobs.remove(tenant, jobId, actor);
  }

  /** Returns the owner of the call if it may touch a job. A job of another sender answers as if it did not exist. */
  private async check(jobId: string, call: JobCall): Promise<JobOwner> {
    const owner = await this.findOwner(call);
    const job = await this.jobs.get(owner.tenant, jobId);
    if (job.owner !== owner.owner && !this.mayTouchAny(call)) throw new Error(`there is no job ${jobId}`);
    return owner;
  }

  /** The sender of the message that the call is for. In a run of a job it is the owner of that job, so no job passes the limit. */
  private async findOwner(call: JobCall): Promise<JobOwner> {
    const { session, caller, turn, callId } = call;
    const { tenant } = session;
    const messageRef = turn?.personal.messageRef;
    const message =
      messageRef === undefined ? undefined : await this.queue.findMessage({ by: 'ref', tenant, messageRef });
    if (!message) throw new Error('jobs can be made and changed in a conversation only');
    const parent = await this.findParent(tenant, message);
    const maker = makerOf(call, parent && definitionOf(parent).maker);
    return {
      tenant,
      maker,
      actor: caller.principal,
      owner: parent?.owner ?? ownerOfSender(message.payload.channel, message.payload.sender),
      maxOwned: MAX_OWNED,
      key: callId,
    };
  }

  private async findParent(tenant: string, message: StoredMessage): Promise<CronJob | undefined> {
    if (!isFiring(message)) return undefined;
    return this.jobs.get(tenant, message.client.principal.replace(/^cron:/, ''));
  }

  private mayTouchAny(call: JobCall): boolean {
    return this.registry.listHeld(call).includes(ANY_PERMISSION);
  }

  /** Refuses events of devices that the call may not read. */
  private checkEvents({ on_event: given, timezone = '' }: JobInput['schedule'], call: JobCall): void {
    if (!given) return;
    const schedule = { kind: 'event', event: given.event, nodeId: given.node_id, timezone } as const;
    const missing = findMissing(schedule, this.registry.listHeld(call));
    if (missing !== undefined) throw new Error(`a job for these events needs the permission ${missing}`);
  }

  private async summarise(job: CronJob): Promise<JobSummary> {
    const { name, schedule, message }: JobDefinition = definitionOf(job);
    const times = await this.jobs.next(job, SHOWN_TIMES);
    return {
      job_id: job.jobId,
      name,
      enabled: job.isEnabled,
      schedule: describeSchedule(schedule),
      timezone: schedule.timezone,
      message,
      next: times.map((time) => formatTime(time, schedule.timezone)),
      ...(job.stopped !== undefined && { stopped: job.stopped }),
    };
  }
}

/**
 * Returns the maker of a job that a call adds. In a run it is that of the running job, whose own session may end before; but
 * what an agent makes never has the rights of an operator.
 */
function makerOf({ session, caller }: JobCall, ofParent: JobMaker | undefined): JobMaker {
  if (ofParent?.kind === 'session') return ofParent;
  return { kind: 'session', principal: ofParent?.principal ?? caller.principal, sessionId: session.id };
}

/** Returns whether a target names no chat: then it means the one of the call. */
function isOwn({ isolated, deliver_to, ...chat }: JobInput['target']): boolean {
  return deliver_to === undefined && Object.keys(chat).length === 0 && isolated !== undefined;
}

/** Returns the target in the chat of a call. @throws Error if it is not made in one */
function targetOf(call: JobCall, wanted: JobInput['target'] | undefined): JobInput['target'] {
  return wanted?.isolated ? { isolated: true, deliver_to: chatOf(call) } : chatOf(call);
}

/** Returns the chat of a session. @throws Error if it is not of one */
function chatOf({ session }: JobCall): { channel: string; sender?: string; group_id?: string; thread_id?: string } {
  const { mode, channel, keyParts } = session;
  const [first = '', thread] = keyParts;
  if (mode === 'queue' || channel === QUESTION_CHANNEL)
    throw new Error(`this conversation is not a chat: name the target, which needs the permission ${ANY_PERMISSION}`);
  if (mode === 'main') return { channel, sender: first };
  return { channel, group_id: first, ...(thread !== undefined && { thread_id: thread }) };
}
