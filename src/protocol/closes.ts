const RECONNECT_LATER = 'reconnect after the reconnect_after_ms of going_away, and resume';

/** Why the gateway closes a connection, and what the client should do about it (protocol.md section 7). */
export const closeTable = {
  goingAway: { code: 1001, reason: 'Going away', action: RECONNECT_LATER, reconnect: true },
  protocolError: { code: 1002, reason: 'Protocol error', action: 'fix the client', reconnect: false },
  unsupportedData: { code: 1003, reason: 'Binary frames are not accepted', action: 'fix the client', reconnect: false },
  invalidUtf8: { code: 1007, reason: 'Invalid UTF-8', action: 'fix the client', reconnect: false },
  tooBig: { code: 1009, reason: 'Frame too big', action: 'fix the client', reconnect: false },
  restarting: { code: 1012, reason: 'Gateway restarting', action: RECONNECT_LATER, reconnect: true },
  overloaded: { code: 1013, reason: 'No room for the frame now', action: 'reconnect with backoff', reconnect: true },
  undecided: {
    code: 1013,
    reason: 'The credential cannot be checked now',
    action: 'reconnect with backoff',
    reconnect: true,
  },
  providerDown: {
    code: 1013,
    reason: 'The identity provider cannot be reached',
    action: 'reconnect with backoff',
    reconnect: true,
  },
  unauthorized: { code: 4001, reason: 'Unauthorized', action: 'get a new credential', reconnect: false },
  revoked: { code: 4001, reason: 'Revoked', action: 'stop', reconnect: false },
  invalidFrames: { code: 4002, reason: 'Too many invalid frames', action: 'fix the client', reconnect: false },
  rateLimit: { code: 4008, reason: 'Rate limit ignored', action: 'slow down', reconnect: true },
  heartbeatLost: { code: 4009, reason: 'Heartbeat lost', action: 'reconnect', reconnect: true },
  replaced: { code: 4010, reason: 'Replaced by a newer connection of this client', action: 'stop', reconnect: false },
  slowReader: { code: 4013, reason: 'Reader too slow', action: 'reconnect and resume', reconnect: true },
} as const satisfies Record<string, CloseRow>;

interface CloseRow {
  readonly code: number;
  readonly reason: string;
  readonly action: string;
  /** True when a client that reconnects unchanged may succeed. */
  readonly reconnect: boolean;
}

export type CloseName = keyof typeof closeTable;
