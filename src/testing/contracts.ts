/** Contract suites for what can be exchanged: a store, an agent runtime. They need vitest. */
export * from './agent-runtime.contract.js';
export * from './store.contract.js';
