/**
 * The contracts of the ports, as tests for their implementations: agent runtimes, blobs, brokers, channel drivers, sandbox engines,
 * stores. They need vitest; the fakes and factories, in another barrel, need no test runner.
 */
export * from './agent-runtime.contract.js';
export * from './blob.contract.js';
export * from './broker.contract.js';
export * from './channel-driver.contract.js';
export * from './sandbox.contract.js';
export * from './store.contract.js';
