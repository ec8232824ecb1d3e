import Type from 'typebox';
import { defineSettings } from '../config/section.js';

/** How the agent is addressed in a group. */
export const sessionSettings = defineSettings({
  'agent.name': Type.String({
    default: 'openclaw',
    pattern: '^[\\p{L}\\p{N}_-]{1,64}$',
    description: 'The name that mentions use: `@openclaw`. Letters, digits, `_` and `-`.',
  }),
});
