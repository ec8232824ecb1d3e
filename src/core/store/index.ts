/** The ports to persistence. Each abstract class is its own DI token; `src/stores` implements them. */
export * from './approval.store.js';
export * from './audit.store.js';
export * from './channel.store.js';
export * from './cron.store.js';
export type { Done } from './done.js';
export * from './frame.store.js';
export * from './media.store.js';
export * from './memory.store.js';
export * from './message-end.js';
export * from './node.store.js';
export * from './queue.store.js';
export * from './records.js';
export * from './ruling.js';
export * from './session.store.js';
export * from './settings.store.js';
export * from './store.js';
export * from './tailscale.store.js';
export * from './turn.store.js';
