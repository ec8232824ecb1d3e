import Type, { type Static, type TSchema } from 'typebox';
import { text } from '../../protocol/text.js';
import { DAY_MS } from '../time/clock.js';
import { MISFIRES, OVERLAPS } from './job.js';

/** Maximum length of the text of a job, in code points. */
const MAX_TEXT_LENGTH = 16_384;
const YEAR_MS = 366 * DAY_MS;

const name = (description: string) => text({ min: 1, max: 256, controls: false }, description);
const strict = { additionalProperties: false } as const;
const time = (description: string) =>
  Type.Union([Type.Number(), Type.String({ minLength: 1, maxLength: 64 })], { description });
const duration = (minimum: number, maximum: number, description: string) =>
  Type.Integer({ minimum, maximum, description });

/** When a job is due: one of `cron`, `every_ms`, `at` and `on_event`. */
export const ScheduleInput = Type.Object(
  {
    cron: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'A cron expression of 5 or 6 fields, or @daily and the like. A day of the month and a weekday together mean OR; +MON in the last field means AND.',
      }),
    ),
    every_ms: Type.Optional(duration(1_000, YEAR_MS, 'At this distance, in milliseconds, counted from the anchor.')),
    anchor: Type.Optional(
      time('Where `every_ms` is counted from: milliseconds or ISO 8601. Default: when the job is made.'),
    ),
    at: Type.Optional(
      time('Once: Unix milliseconds, or ISO 8601 with a time of day; without an offset in the zone of the job.'),
    ),
    on_event: Type.Optional(
      Type.Object(
        { event: name('The name of the event.'), node_id: Type.Optional(name('Only of this node.')) },
        { ...strict, description: 'Whenever a device node reports an event.' },
      ),
    ),
    timezone: Type.Optional(
      Type.String({ maxLength: 64, description: 'Region and city, such as Europe/Paris, or UTC.' }),
    ),
  },
  strict,
);

const chatFields = {
  channel: Type.Optional(name('The channel, as in messages.')),
  sender: Type.Optional(name('The person whose direct chat it is.')),
  group_id: Type.Optional(name('The group.')),
  thread_id: Type.Optional(name('The thread of the group.')),
};

/** A chat: `channel` with `sender`, or with `group_id`. */
export const ChatInput = Type.Object(chatFields, strict);

/** Where a job speaks: a chat, or `isolated`. */
export const TargetInput = Type.Object(
  {
    ...chatFields,
    isolated: Type.Optional(Type.Literal(true, { description: 'A session of its own for each run.' })),
    deliver_to: Type.Optional(ChatInput),
  },
  strict,
);

const fields = {
  name: name('For people.'),
  schedule: ScheduleInput,
  target: TargetInput,
  message: text(
    { min: 1, max: MAX_TEXT_LENGTH, controls: true },
    'The message to the agent. {{due}}, {{name}} and {{event}} are filled in.',
  ),
};

const options = {
  enabled: Type.Optional(Type.Boolean()),
  misfire: Type.Optional(
    Type.Enum([...MISFIRES], {
      description: 'What happens to due times while nothing ran: the newest, none, or up to 24.',
    }),
  ),
  grace_ms: Type.Optional(duration(0, YEAR_MS, 'A missed due time that is older is not made up for.')),
  overlap: Type.Optional(Type.Enum([...OVERLAPS], { description: 'What happens while the last run has not ended.' })),
  agent: Type.Optional(Type.String({ pattern: '^[a-z0-9-]{1,32}$', description: 'The ID of the agent that answers.' })),
  jitter_ms: Type.Optional(
    duration(0, DAY_MS, 'A delay of up to this, the same for a due time wherever it is computed.'),
  ),
  timeout_ms: Type.Optional(duration(1_000, DAY_MS, 'Time limit of a run.')),
  max_runs: Type.Optional(duration(1, 1_000_000_000, 'The job stops after this many runs.')),
  expires_at: Type.Optional(time('No run after this time.')),
  retries: Type.Optional(duration(0, 10, 'Further tries of a run that has failed.')),
  approval_wait_ms: Type.Optional(
    duration(0, DAY_MS, 'How long an approval waits for a person. 0: calls that need one are denied at once.'),
  ),
  min_interval_ms: Type.Optional(duration(0, DAY_MS, 'Events sooner after the last one are skipped.')),
};

/** A new job. */
export const JobInput = Type.Object({ ...fields, ...options }, strict);
export type JobInput = Static<typeof JobInput>;

const nullable = <S extends TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]));

/** A change of a job: the fields that it names. Null removes one that may be absent. */
export const JobChangeInput = Type.Object(
  {
    ...Type.Partial(Type.Object(fields)).properties,
    ...options,
    agent: nullable(options.agent),
    grace_ms: nullable(options.grace_ms),
    timeout_ms: nullable(options.timeout_ms),
    max_runs: nullable(options.max_runs),
    expires_at: nullable(options.expires_at),
  },
  strict,
);
export type JobChangeInput = Static<typeof JobChangeInput>;
