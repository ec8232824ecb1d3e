/** The core on a store, for tests of agents, tools and stores. Apart from the fakes, since it loads the whole core. */
export * from './core-harness.js';
export * from './test-stores.js';
export type { StorePorts } from './store/bench.js';
