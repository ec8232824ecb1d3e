/**
 * The wire contract (protocol.md), for gateway and clients. The compiled validators are in `codec.ts`, which only the
 * gateway needs.
 */
export * from './blocks.js';
export * from './canvas.js';
export * from './closes.js';
export * from './envelope.js';
export * from './errors.js';
export * from './inbound.js';
export * from './log.js';
export * from './messages.js';
export * from './nodes.js';
export * from './outbound.js';
