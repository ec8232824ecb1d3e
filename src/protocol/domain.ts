/** What the core knows of the contract: messages, blocks, the log, errors. No envelope and no codec; `core` imports this file. */
export * from './blocks.js';
export * from './errors.js';
export * from './log.js';
export * from './messages.js';
