import type { Failpoint } from '../../src/core/failpoints/failpoint.js';

/** The failpoints that only messages of a driver in the process pass. */
export const CHANNEL_FAILPOINTS: readonly Failpoint[] = [
  'inbox.after_commit',
  'inbound.after_ack',
  'outbox.before_send',
  'outbox.after_send',
];
