/** Contract suites for what can be exchanged: an agent runtime, a broker, a store. They need vitest. */
export * from './agent-runtime.contract.js';
export * from './broker.contract.js';
export * from './store.contract.js';
