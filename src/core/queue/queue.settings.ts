import Type from 'typebox';
import { BusyPolicy } from '../agents/agent-setting.js';
import { defineSettings } from '../config/section.js';
import { count } from '../config/setting-kinds.js';

/** The numbers of messages that may wait and of turns that may run. */
export const queueSettings = defineSettings({
  'agent.concurrency': Type.Integer({
    default: 64,
    minimum: 1,
    maximum: 100_000,
    description: 'Concurrent turns, besides those that wait for an approval.',
  }),
  'queue.max_per_session': count(100, 'Messages that may wait or run in one session.'),
  'queue.max_per_client': count(1_000, 'Messages that may wait or run for one principal, whatever client ids it uses.'),
  'queue.max_total': count(100_000, 'Messages that may wait or run in total.'),
  'queue.busy_policy': Type.Enum(BusyPolicy.enum, {
    default: 'followup',
    description:
      'Effect of a message that arrives during a turn: `followup` waits, `steer` joins the running turn where a model answers, `collect` waits and is answered together with all that wait, `interrupt` cancels the running turn.',
  }),
});
