import Type from 'typebox';
import { defineSettings } from '../config/section.js';

const ToolName = Type.String({ pattern: '^[A-Za-z0-9_.-]{1,128}$' });
const BoundName = Type.String({ minLength: 1, maxLength: 256 });

/** Which tools may be called, by whom, and how many at the same time. */
export const toolSettings = defineSettings({
  'tools.disabled': Type.Array(ToolName, {
    default: [],
    'x-scope': 'config:dangerous',
    description: 'Tools that are disabled.',
  }),
  'tools.default_permissions': Type.Array(BoundName, {
    default: [],
    'x-scope': 'config:dangerous',
    description: 'Permissions that every session holds, besides those granted to it.',
  }),
  'tools.approvals': Type.Array(ToolName, {
    default: [],
    'x-scope': 'config:dangerous',
    description: 'Tools whose calls a person must approve, besides those that always require it.',
  }),
  'tools.approval_timeout_ms': Type.Integer({
    default: 300_000,
    minimum: 1_000,
    maximum: 86_400_000,
    description: 'How long a call waits for its approval, in milliseconds.',
  }),
  'tools.concurrency': Type.Integer({
    default: 32,
    minimum: 1,
    maximum: 10_000,
    description:
      'Concurrent tool calls; others wait. A session runs at most half of them; each tenant can always run an eighth.',
  }),
});
