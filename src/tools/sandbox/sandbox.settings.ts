import Type from 'typebox';
import { defineSettings } from '../../core/config/section.js';

/** Where commands of tools run, and what they may use. */
export const sandboxSettings = defineSettings({
  'tools.sandbox.engine': Type.Enum(['auto', 'docker', 'bubblewrap', 'none'], {
    default: 'auto',
    description:
      'What runs commands of tools; `auto` is Docker where a daemon answers, else bubblewrap. Without any they are refused.',
  }),
  'tools.sandbox.image': Type.String({
    default: 'debian:bookworm-slim',
    pattern: '^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$',
    description: 'Docker image that commands run in. It must be on the machine: the gateway pulls none.',
  }),
  'tools.sandbox.workspaces': Type.String({
    default: 'data/workspaces',
    minLength: 1,
    description: "Folder of the sessions' workspaces: all that a command may write to.",
    'x-restart': true,
  }),
  'tools.sandbox.quota_mb': Type.Integer({
    default: 256,
    minimum: 1,
    maximum: 1_048_576,
    description: 'What one workspace may hold, in MB.',
  }),
  'tools.sandbox.memory_mb': Type.Integer({
    default: 256,
    minimum: 16,
    maximum: 1_048_576,
    description: 'Memory of a command, in MB.',
  }),
  'tools.sandbox.cpu': Type.Number({
    default: 1,
    minimum: 0.1,
    maximum: 256,
    description: 'Processor cores of a command.',
  }),
  'tools.sandbox.pids': Type.Integer({
    default: 64,
    minimum: 8,
    maximum: 32_768,
    description: 'Processes and threads of a command at the same time.',
  }),
  'tools.sandbox.timeout_ms': Type.Integer({
    default: 30_000,
    minimum: 100,
    maximum: 600_000,
    description: 'The longest that a command may take, in milliseconds.',
  }),
});
