/** The thread that owns the database file. It only waits for batches and has no timers. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ExecutorOptions, WorkerMessage, WorkerOrder } from './executor.js';
import { openStateMachine, type OpenStateMachine } from '../state-machine.js';

const { path, startedAt } = workerData as ExecutorOptions;
try {
  serve(openStateMachine(path, startedAt));
} catch (error) {
  say({ kind: 'refused', error: error as Error });
}

function serve({ machine, migrated, isRecovered, logEpoch, close }: OpenStateMachine): void {
  parentPort?.on('message', (order: WorkerOrder) => {
    if (order.kind === 'run') return say({ kind: 'reply', reply: machine.run(order.batch) });
    close();
    say({ kind: 'closed' });
    parentPort?.close();
  });
  say({ kind: 'open', migrated, isRecovered, logEpoch });
}

function say(message: WorkerMessage): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(message);
}
