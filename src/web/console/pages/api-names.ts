/** The subsystems that write logs, and the levels, from most to least detailed. */
export const SUBSYSTEMS = [
  'gateway',
  'router',
  'queue',
  'tools',
  'agent',
  'channels',
  'store',
  'auth',
  'config',
  'presence',
  'cron',
] as const;
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;

export const CHANNEL_STATES = ['connecting', 'connected', 'degraded', 'disconnected', 'error', 'stopped'] as const;

/** The scopes that each role may hold. */
export const ROLE_SCOPES: Readonly<Record<string, readonly string[]>> = {
  operator: [
    'messages:write',
    'presence:write',
    'channels:write',
    'sessions:read',
    'admin:read',
    'admin:write',
    'config:write',
    'config:dangerous',
    'tools:call',
    'tokens:write',
    'audit:read',
    'metrics:read',
  ],
  channel: ['messages:write', 'presence:write', 'channels:write', 'sessions:read'],
  user: ['messages:write', 'presence:write', 'sessions:read'],
  node: ['nodes:serve'],
};

/** The policies for due times of a job that were missed, or that come while its last run has not ended. */
export const MISFIRES = ['latest', 'skip', 'all'] as const;
export const OVERLAPS = ['skip', 'queue', 'cancel_running'] as const;
