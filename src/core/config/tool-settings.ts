import Type from 'typebox';

const HostName = Type.String({ pattern: '^[A-Za-z0-9.:_\\[\\]-]{1,260}$' });

/** `tools.sandbox`: where commands of tools run, and what they may use. */
export const SandboxSettings = Type.Object({
  engine: Type.Enum(['auto', 'docker', 'bubblewrap', 'none'], {
    default: 'auto',
    description:
      'What runs commands of tools; `auto` is Docker where a daemon answers, else bubblewrap. Without any they are refused.',
  }),
  image: Type.String({
    default: 'debian:bookworm-slim',
    pattern: '^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$',
    description: 'Docker image that commands run in. It must be on the machine: the gateway pulls none.',
  }),
  workspaces: Type.String({
    default: 'data/workspaces',
    minLength: 1,
    description: "Folder of the sessions' workspaces: all that a command may write to.",
    'x-restart': true,
  }),
  quota_mb: Type.Integer({
    default: 256,
    minimum: 1,
    maximum: 1_048_576,
    description: 'What one workspace may hold, in MB.',
  }),
  memory_mb: Type.Integer({
    default: 256,
    minimum: 16,
    maximum: 1_048_576,
    description: 'Memory of a command, in MB.',
  }),
  cpu: Type.Number({ default: 1, minimum: 0.1, maximum: 256, description: 'Processor cores of a command.' }),
  pids: Type.Integer({
    default: 64,
    minimum: 8,
    maximum: 32_768,
    description: 'Processes and threads of a command at the same time.',
  }),
  timeout_ms: Type.Integer({
    default: 30_000,
    minimum: 100,
    maximum: 600_000,
    description: 'The longest that a command may take, in milliseconds.',
  }),
});

/** `tools.http`: what `http.fetch` may ask for. */
export const HttpToolSettings = Type.Object({
  allow_hosts: Type.Array(HostName, {
    default: [],
    description:
      'Hosts (`NAME` or `NAME:PORT`) that may be fetched although their address is private; public ones always may.',
  }),
  max_bytes: Type.Integer({
    default: 1_048_576,
    minimum: 1_024,
    maximum: 104_857_600,
    description: 'The most that is read of an answer, in bytes.',
  }),
  timeout_ms: Type.Integer({
    default: 20_000,
    minimum: 100,
    maximum: 600_000,
    description: 'The longest that an answer may take, redirects included, in milliseconds.',
  }),
});
