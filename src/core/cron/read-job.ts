import type { Static } from 'typebox';
import { GatewayError, type PayloadFault } from '../../protocol/domain.js';
import { compileSchedule } from './compile-schedule.js';
import { ExpressionError, parseExpression } from './cron-expression.js';
import type { Chat, JobDefinition, JobMaker, JobTarget } from './job.js';
import type { ChatInput, JobChangeInput, JobInput, ScheduleInput, TargetInput } from './job-schema.js';
import type { Schedule } from './schedule.js';
import { normaliseTimezone, parseTime } from './timezone.js';

/** Events of a job come at most this often, in milliseconds. */
const DEFAULT_MIN_INTERVAL_MS = 10_000;

/** Milliseconds of the year 2001: a smaller number is in seconds. */
const SMALLEST_TIME = 978_307_200_000;

/** Circumstances in which the description of a job is read. */
export interface ReadJobContext {
  readonly now: number;
  /** The zone of a job that names none. */
  readonly timezone: string;
  readonly maker: JobMaker;
}

/**
 * Reads a new job that its schema accepts.
 * @throws GatewayError INVALID_PAYLOAD with a pointer to the fault
 */
export async function readJob(input: JobInput, { now, timezone, maker }: ReadJobContext): Promise<JobDefinition> {
  const schedule = await readSchedule(input.schedule, now, timezone);
  const expiresAt = readExpiry(input.expires_at, schedule.timezone, now);
  return { ...readOptions(input), schedule, expiresAt, maker };
}

/**
 * Applies a change that its schema accepts: null removes a field. What it does not name stays as it is, also a time that is in
 * the past by now.
 * @throws GatewayError INVALID_PAYLOAD with a pointer to the fault
 */
export async function changeJob(before: JobDefinition, change: JobChangeInput, now: number): Promise<JobDefinition> {
  const named = Object.entries({ ...toInput(before), ...change }).filter(([, value]) => value !== null);
  const input = Object.fromEntries(named) as unknown as JobInput;
  const { maker, schedule: known } = before;
  const schedule = change.schedule ? await changeSchedule(known, change.schedule, now) : known;
  const isKept = change.expires_at === undefined;
  const expiresAt = isKept ? before.expiresAt : readExpiry(input.expires_at, schedule.timezone, now);
  return { ...readOptions(input), schedule, expiresAt, maker };
}

/** Returns the description that gives a definition when it is read. */
export function toInput(definition: JobDefinition): JobInput {
  const { name, message, misfire, overlap, retries, agent, graceMs, timeoutMs, maxRuns, expiresAt } = definition;
  return {
    name,
    schedule: toScheduleInput(definition.schedule),
    target: toTargetInput(definition.target),
    message,
    misfire,
    overlap,
    retries,
    jitter_ms: definition.jitterMs,
    approval_wait_ms: definition.approvalWaitMs,
    min_interval_ms: definition.minIntervalMs,
    ...(agent !== undefined && { agent }),
    ...(graceMs !== undefined && { grace_ms: graceMs }),
    ...(timeoutMs !== undefined && { timeout_ms: timeoutMs }),
    ...(maxRuns !== undefined && { max_runs: maxRuns }),
    ...(expiresAt !== undefined && { expires_at: expiresAt }),
  };
}

function readOptions(input: JobInput): Omit<JobDefinition, 'schedule' | 'expiresAt' | 'maker'> {
  return {
    name: input.name,
    target: readTarget(input.target),
    message: input.message,
    misfire: input.misfire ?? 'latest',
    graceMs: input.grace_ms,
    overlap: input.overlap ?? 'skip',
    agent: input.agent,
    jitterMs: input.jitter_ms ?? 0,
    timeoutMs: input.timeout_ms,
    maxRuns: input.max_runs,
    retries: input.retries ?? 0,
    approvalWaitMs: input.approval_wait_ms ?? 0,
    minIntervalMs: input.min_interval_ms ?? DEFAULT_MIN_INTERVAL_MS,
  };
}

function readExpiry(value: JobInput['expires_at'], timezone: string, now: number): number | undefined {
  return value === undefined ? undefined : readFuture(value, timezone, now, '/expires_at');
}

function toScheduleInput(schedule: Schedule): JobInput['schedule'] {
  const { timezone } = schedule;
  switch (schedule.kind) {
    case 'cron':
      return { cron: schedule.expression, timezone };
    case 'every':
      return { every_ms: schedule.everyMs, anchor: schedule.anchor, timezone };
    case 'at':
      return { at: schedule.at, timezone };
    case 'event': {
      const { event, nodeId } = schedule;
      return { on_event: { event, ...(nodeId !== undefined && { node_id: nodeId }) }, timezone };
    }
  }
}

function toTargetInput(target: JobTarget): JobInput['target'] {
  if (!('isolated' in target)) return toChatInput(target);
  return { isolated: true, ...(target.deliverTo && { deliver_to: toChatInput(target.deliverTo) }) };
}

function toChatInput(chat: Chat): Static<typeof ChatInput> {
  if ('sender' in chat) return chat;
  const { channel, groupId, threadId } = chat;
  return { channel, group_id: groupId, ...(threadId !== undefined && { thread_id: threadId }) };
}

/** A zone alone moves the schedule to it. The moments of `at` and `every_ms` stay. */
async function changeSchedule(known: Schedule, change: Static<typeof ScheduleInput>, now: number): Promise<Schedule> {
  const { timezone, ...others } = change;
  if (timezone === undefined || Object.keys(others).length > 0) return readSchedule(change, now, known.timezone);
  return { ...known, timezone: readTimezone(timezone) };
}

async function readSchedule(
  input: Static<typeof ScheduleInput>,
  now: number,
  defaultTimezone: string,
): Promise<Schedule> {
  const { cron, every_ms, anchor, at, on_event } = input;
  const timezone = input.timezone === undefined ? defaultTimezone : readTimezone(input.timezone);
  const kinds = { cron, every_ms, at, on_event };
  const given = Object.entries(kinds).filter(([, value]) => value !== undefined);
  if (given.length !== 1) throw invalid('/schedule', `must have one of ${Object.keys(kinds).join(', ')}`);
  if (anchor !== undefined && every_ms === undefined) throw invalid('/schedule/anchor', 'belongs to every_ms');
  if (cron !== undefined) return readExpression(cron, timezone, now);
  if (every_ms !== undefined) {
    const start = anchor === undefined ? now : readTime(anchor, timezone, '/schedule/anchor');
    return { kind: 'every', everyMs: every_ms, anchor: start, timezone };
  }
  if (at !== undefined) return { kind: 'at', at: readFuture(at, timezone, now, '/schedule/at'), timezone };
  return { kind: 'event', event: on_event?.event ?? '', nodeId: on_event?.node_id, timezone };
}

async function readExpression(source: string, timezone: string, now: number): Promise<Schedule> {
  try {
    const { text } = await parseExpression(source);
    const schedule = { kind: 'cron', expression: text, timezone } as const;
    if ((await compileSchedule(schedule)).next(now) === undefined) throw new ExpressionError('is never due');
    return schedule;
  } catch (error) {
    if (error instanceof ExpressionError) throw invalid('/schedule/cron', error.message);
    throw error;
  }
}

function readTimezone(text: string): string {
  try {
    return normaliseTimezone(text);
  } catch (error) {
    throw invalid('/schedule/timezone', (error as Error).message);
  }
}

function readTime(value: number | string, timezone: string, pointer: string): number {
  const read = typeof value === 'number' ? value : parseTime(value, timezone);
  if (read === undefined || !Number.isSafeInteger(read))
    throw invalid(pointer, 'must be Unix milliseconds, or ISO 8601 with a time of day, such as 2027-01-31T08:00:00');
  return read;
}

function readFuture(value: number | string, timezone: string, now: number, pointer: string): number {
  const time = readTime(value, timezone, pointer);
  if (time > now) return time;
  const isSeconds = typeof value === 'number' && value > 0 && value < SMALLEST_TIME;
  throw invalid(pointer, isSeconds ? 'is in the past (1970): milliseconds are meant, not seconds' : 'is in the past');
}

function readTarget(input: Static<typeof TargetInput>): JobTarget {
  const { isolated, deliver_to, ...chat } = input;
  if (!isolated) {
    if (deliver_to) throw invalid('/target/deliver_to', 'belongs to isolated');
    return readChat(chat, '/target');
  }
  if (Object.keys(chat).length > 0)
    throw invalid('/target', 'is either a chat or isolated; deliver_to names the chat of an isolated job');
  return { isolated, ...(deliver_to && { deliverTo: readChat(deliver_to, '/target/deliver_to') }) };
}

function readChat({ channel, sender, group_id, thread_id }: Static<typeof ChatInput>, pointer: string): Chat {
  if (channel === undefined) throw invalid(`${pointer}/channel`, 'is missing: a chat has a channel');
  if ((sender === undefined) === (group_id === undefined))
    throw invalid(pointer, 'must have either sender or group_id');
  if (group_id !== undefined)
    return { channel, groupId: group_id, ...(thread_id !== undefined && { threadId: thread_id }) };
  if (thread_id !== undefined) throw invalid(`${pointer}/thread_id`, 'belongs to group_id');
  return { channel, sender: sender ?? '' };
}

function invalid(pointer: string, message: string): GatewayError<'INVALID_PAYLOAD'> {
  const fault: PayloadFault = { pointer, message };
  return new GatewayError('INVALID_PAYLOAD', { faults: [fault] });
}
