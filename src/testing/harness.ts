/** The core on a store, for tests of agents, tools and stores. Separate from the fakes because it loads the whole core. */
export * from './core-harness.js';
export * from './test-stores.js';
export type { StorePorts } from './store/bench.js';
