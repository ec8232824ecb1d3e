/** The part of the contract that `core` imports: messages, blocks, the log and errors, without envelope and codec. */
export * from './blocks.js';
export * from './canvas.js';
export * from './errors.js';
export * from './log.js';
export * from './messages.js';
export * from './nodes.js';
