import Type from 'typebox';
import { defineSettings } from '../config/section.js';

/** Limits of a turn, and the time that turns have at shutdown. */
export const turnSettings = defineSettings({
  'gateway.drain_timeout_ms': Type.Integer({
    default: 30_000,
    minimum: 0,
    maximum: 3_600_000,
    description: 'Time for running turns to finish at shutdown, in milliseconds.',
  }),
  'agent.max_attempts': Type.Integer({
    default: 3,
    minimum: 1,
    maximum: 100,
    description: 'Number of interruptions after which a turn fails.',
  }),
  'agent.turn_timeout_ms': Type.Integer({
    default: 600_000,
    minimum: 100,
    maximum: 86_400_000,
    description: 'Maximum duration of a turn, in milliseconds.',
  }),
});
