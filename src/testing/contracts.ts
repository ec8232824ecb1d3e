/**
 * The contracts that implementations of a port must keep, as tests: agent runtimes, blobs, brokers, sandbox engines,
 * stores. For vitest; apart from the fakes and factories, which need no test runner.
 */
export * from './agent-runtime.contract.js';
export * from './blob.contract.js';
export * from './broker.contract.js';
export * from './sandbox.contract.js';
export * from './store.contract.js';
