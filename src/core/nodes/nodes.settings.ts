import Type from 'typebox';
import { defineSettings } from '../config/section.js';

/** The trust in device nodes. */
export const nodeSettings = defineSettings({
  'nodes.auto_allow': Type.Boolean({
    default: false,
    'x-scope': 'config:dangerous',
    description:
      'A changed description or schema of a known command takes effect at once. Otherwise it waits for an operator.',
  }),
});
