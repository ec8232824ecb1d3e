import Type from 'typebox';
import { defineSettings } from '../../core/config/section.js';

/** The sandbox engine and the limits of commands. */
export const sandboxSettings = defineSettings({
  'tools.sandbox.engine': Type.Enum(['auto', 'docker', 'bubblewrap', 'none'], {
    default: 'auto',
    'x-scope': 'config:dangerous',
    description:
      'Sandbox engine for commands of tools; `auto` is Docker if a daemon is reachable, else bubblewrap. Without an engine, commands are refused.',
  }),
  'tools.sandbox.image': Type.String({
    default: 'debian:bookworm-slim',
    pattern: '^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$',
    'x-scope': 'config:dangerous',
    description: 'Docker image that commands run in. It must exist on the machine: the gateway does not pull images.',
  }),
  'tools.sandbox.workspaces': Type.String({
    default: 'data/workspaces',
    minLength: 1,
    'x-scope': 'config:dangerous',
    description: "Folder of the sessions' workspaces, the only place that commands may write to.",
    'x-restart': true,
  }),
  'tools.sandbox.max_workspaces': Type.Integer({
    default: 1_000,
    minimum: 1,
    maximum: 1_000_000,
    'x-scope': 'config:dangerous',
    description: 'Maximum number of workspaces. They are deleted with their sessions (`store.session_ttl_hours`).',
  }),
  'tools.sandbox.quota_mb': Type.Integer({
    default: 256,
    minimum: 1,
    maximum: 1_048_576,
    'x-scope': 'config:dangerous',
    description: 'Size limit of a workspace, in MB.',
  }),
  'tools.sandbox.memory_mb': Type.Integer({
    default: 256,
    minimum: 16,
    maximum: 1_048_576,
    'x-scope': 'config:dangerous',
    description: 'Memory limit of a command, in MB.',
  }),
  'tools.sandbox.cpu': Type.Number({
    default: 1,
    minimum: 0.1,
    maximum: 256,
    'x-scope': 'config:dangerous',
    description: 'Processor cores of a command.',
  }),
  'tools.sandbox.pids': Type.Integer({
    default: 64,
    minimum: 8,
    maximum: 32_768,
    'x-scope': 'config:dangerous',
    description: 'Concurrent processes and threads of a command.',
  }),
  'tools.sandbox.timeout_ms': Type.Integer({
    default: 30_000,
    minimum: 100,
    maximum: 600_000,
    'x-scope': 'config:dangerous',
    description: 'Time limit of a command, in milliseconds.',
  }),
});
