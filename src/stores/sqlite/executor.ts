import { Worker } from 'node:worker_threads';
import { openDatabase } from './database.js';
import type { Batch, BatchReply } from './operations.js';
import { SqliteStateMachine } from './state-machine.js';

/** What the thread that owns the file is started with. */
export interface ExecutorOptions {
  /** Of the file; undefined for a database in memory. */
  readonly path: string | undefined;
  /** The clock at the start. */
  readonly now: number;
}

/** Where batches run. One batch of writes is under way at a time; reads may be beside it. */
export interface Executor {
  /** The schema versions that opening has applied. */
  readonly migrated: readonly number[];
  /** Rejects only when the executor is dead. */
  run(batch: Batch): Promise<BatchReply>;
  /** Closes the database. Nothing may be under way. */
  close(): Promise<void>;
}

/** Told once, when the executor has died by itself. */
export type DeathListener = (error: Error) => void;
export type StartExecutor = (options: ExecutorOptions, onDeath: DeathListener) => Promise<Executor>;

/**
 * The worker of the compiled gateway; in this thread when running from TypeScript sources, which a worker cannot load.
 * The state machine and its batches are the same; the worker itself is tested on a bundle of this folder.
 */
export const startExecutor: StartExecutor = (options, onDeath) =>
  import.meta.url.endsWith('.ts') ? startInThisThread(options) : startWorker(options, onDeath);

/** Runs batches in this thread, each in a later turn of promises, as a worker would answer. */
export async function startInThisThread({ path, now }: ExecutorOptions): Promise<Executor> {
  const opened = openDatabase(path);
  const machine = new SqliteStateMachine(opened.database, now);
  return {
    migrated: opened.migrated,
    run: async (batch) => machine.run(batch),
    close: async () => opened.close(),
  };
}

/** What the worker says. */
export type WorkerMessage =
  | { readonly kind: 'open'; readonly migrated: readonly number[] }
  | { readonly kind: 'refused'; readonly error: Error }
  | { readonly kind: 'reply'; readonly reply: BatchReply }
  | { readonly kind: 'closed' };
/** What the worker is told. */
export type WorkerOrder = { readonly kind: 'run'; readonly batch: Batch } | { readonly kind: 'close' };

/** Runs batches in a worker thread, so that no fsync holds up the event loop. */
export function startWorker(options: ExecutorOptions, onDeath: DeathListener): Promise<Executor> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./sqlite.worker.js', import.meta.url), { workerData: options });
    const waiting: PromiseWithResolvers<BatchReply>[] = [];
    let closed: PromiseWithResolvers<void> | undefined;
    let death: Error | undefined;

    const order = (message: WorkerOrder) => worker.postMessage(message);
    const executor = (migrated: readonly number[]): Executor => ({
      migrated,
      run(batch) {
        if (death) return Promise.reject(death);
        const reply = Promise.withResolvers<BatchReply>();
        waiting.push(reply);
        order({ kind: 'run', batch });
        return reply.promise;
      },
      close() {
        closed = Promise.withResolvers();
        if (death) closed.resolve();
        else order({ kind: 'close' });
        return closed.promise;
      },
    });
    const die = (error: Error) => {
      if (death) return;
      death = error;
      reject(error);
      for (const reply of waiting.splice(0)) reply.reject(error);
      if (closed) closed.resolve();
      else onDeath(error);
    };

    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'open') resolve(executor(message.migrated));
      else if (message.kind === 'refused') reject(message.error);
      // Batches are answered in the order in which they were posted.
      else if (message.kind === 'reply') waiting.shift()!.resolve(message.reply);
      else closed?.resolve();
    });
    worker.on('error', die);
    worker.on('exit', (code) => die(new Error(`the store's thread has ended with code ${code}`)));
  });
}
