/** Fakes and factories for tests of the gateway and of its extensions. */
export * from './factories.js';
export * from './fake-metrics.js';
export * from './fake-platform.js';
export * from './fake-reader.js';
export * from './fake-socket.js';
export * from './fake-terminal.js';
export * from './fake-turn.js';
export * from './kept-logs.js';
export * from './manual-clock.js';
export * from './memory-settings.js';
