import { readDuration } from '../durations.js';
import { UsageError } from '../faults.js';

const TEXT = { type: 'string' } as const;

/** The options of `add` and `edit`. */
export const JOB_OPTIONS = {
  name: TEXT,
  cron: TEXT,
  timezone: TEXT,
  every: TEXT,
  at: TEXT,
  'on-event': TEXT,
  node: TEXT,
  message: TEXT,
  channel: TEXT,
  sender: TEXT,
  group: TEXT,
  thread: TEXT,
  'deliver-to': TEXT,
  agent: TEXT,
  misfire: TEXT,
  grace: TEXT,
  overlap: TEXT,
  jitter: TEXT,
  timeout: TEXT,
  retries: TEXT,
  'max-runs': TEXT,
  expires: TEXT,
  'approval-wait': TEXT,
  'min-interval': TEXT,
  isolated: { type: 'boolean' },
} as const;

/** The values of the options. */
export type JobValues = {
  readonly [O in keyof typeof JOB_OPTIONS]?:
    | ((typeof JOB_OPTIONS)[O]['type'] extends 'boolean' ? boolean : string)
    | undefined;
};

/**
 * Returns the description of a job, as the administration API takes it.
 * @param isNew all that a job needs must be given
 * @throws UsageError
 */
export function readJobOptions(values: JobValues, isNew: boolean): object {
  const schedule = readSchedule(values, isNew);
  const target = readTarget(values);
  const { name, message, agent, misfire, overlap } = values;
  for (const [option, value] of Object.entries({ '--name': name, '--message': message }))
    if (isNew && value === undefined) throw new UsageError(`add needs ${option}`, 'cron');
  if (isNew && !schedule) throw new UsageError('add needs one of --cron, --every, --at and --on-event', 'cron');
  if (isNew && !target) throw new UsageError('add needs --channel or --isolated', 'cron');
  const job = withoutUndefined({
    name,
    schedule,
    target,
    message,
    agent,
    misfire,
    overlap,
    grace_ms: readDuration('cron', '--grace', values.grace),
    jitter_ms: readDuration('cron', '--jitter', values.jitter),
    timeout_ms: readDuration('cron', '--timeout', values.timeout),
    approval_wait_ms: readDuration('cron', '--approval-wait', values['approval-wait']),
    min_interval_ms: readDuration('cron', '--min-interval', values['min-interval']),
    retries: readNumber('--retries', values.retries),
    max_runs: readNumber('--max-runs', values['max-runs']),
    expires_at: values.expires,
  });
  if (Object.keys(job).length === 0) throw new UsageError('edit needs an option to change', 'cron');
  return job;
}

/** A change may name the zone alone. */
function readSchedule(values: JobValues, isNew: boolean): object | undefined {
  const { cron, every, at, timezone, node } = values;
  const event = values['on-event'];
  const given = [cron, every, at, event].filter((value) => value !== undefined);
  if (given.length > 1) throw new UsageError('Only one of --cron, --every, --at and --on-event can be given', 'cron');
  if (node !== undefined && event === undefined) throw new UsageError('--node belongs to --on-event', 'cron');
  if (given.length === 0) return isNew || timezone === undefined ? undefined : { timezone };
  const on_event = event === undefined ? undefined : withoutUndefined({ event, node_id: node });
  return withoutUndefined({ cron, every_ms: readDuration('cron', '--every', every), at, on_event, timezone });
}

function readTarget(values: JobValues): object | undefined {
  const { channel, sender, group, thread, isolated } = values;
  const deliverTo = values['deliver-to'];
  if (isolated)
    return withoutUndefined({ isolated, deliver_to: deliverTo === undefined ? undefined : readChat(deliverTo) });
  if (deliverTo !== undefined) throw new UsageError('--deliver-to belongs to --isolated', 'cron');
  if (channel === undefined && sender === undefined && group === undefined) return undefined;
  return withoutUndefined({ channel, sender, group_id: group, thread_id: thread });
}

/** Reads `C/CHAT`: the direct chat of a person, or `C/group:GROUP` and `C/group:GROUP/THREAD`. */
function readChat(text: string): object {
  const [, channel, chat = ''] = /^([^/]+)\/(.+)$/.exec(text) ?? [];
  if (channel === undefined) throw new UsageError('--deliver-to must be CHANNEL/CHAT, such as telegram/5001', 'cron');
  const [, group, thread] = /^group:([^/]+)(?:\/(.+))?$/.exec(chat) ?? [];
  if (group === undefined) return { channel, sender: chat };
  return withoutUndefined({ channel, group_id: group, thread_id: thread });
}

function readNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new UsageError(`${option} must be a number`, 'cron');
  return Number(text);
}

function withoutUndefined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
