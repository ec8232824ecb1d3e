/** The thread that owns the database file. It starts no timer and waits for nothing but batches. */
import { parentPort, workerData } from 'node:worker_threads';
import { openDatabase, type OpenDatabase } from './database.js';
import type { ExecutorOptions, WorkerMessage, WorkerOrder } from './executor.js';
import { SqliteStateMachine } from './state-machine.js';

const port = parentPort!;
const say = (message: WorkerMessage) => port.postMessage(message);

const { path, now } = workerData as ExecutorOptions;
const opened = open();
if (opened) serve(opened);

function open(): OpenDatabase | undefined {
  try {
    return openDatabase(path);
  } catch (error) {
    say({ kind: 'refused', error: error as Error });
    return undefined;
  }
}

function serve({ database, migrated, close }: OpenDatabase): void {
  const machine = new SqliteStateMachine(database, now);
  port.on('message', (order: WorkerOrder) => {
    if (order.kind === 'run') return say({ kind: 'reply', reply: machine.run(order.batch) });
    close();
    say({ kind: 'closed' });
    port.close();
  });
  say({ kind: 'open', migrated });
}
