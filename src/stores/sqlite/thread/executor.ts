import { Worker } from 'node:worker_threads';
import type { Moment } from '../../../core/time/clock.js';
import type { Batch, BatchReply } from '../operations/index.js';
import { openStateMachine } from '../state-machine.js';

/** The start parameters of the thread that owns the file. */
export interface ExecutorOptions {
  /** Path of the file; undefined for a database in memory. */
  readonly path: string | undefined;
  readonly startedAt: Moment;
}

/** Runs batches. One batch of writes runs at a time; a batch of reads may run beside it. */
export interface Executor {
  /** The schema versions that were applied when opening. */
  readonly migrated: readonly number[];
  /** The last process to have the database open did not close it. */
  readonly isRecovered: boolean;
  /** The random name of this opening. */
  readonly logEpoch: string;
  /** Rejects only when the executor is dead. */
  run(batch: Batch): Promise<BatchReply>;
  /** Closes the database. No batch may be pending. */
  close(): Promise<void>;
}

/** Called once if the executor dies. */
export type DeathListener = (error: Error) => void;
export type StartExecutor = (options: ExecutorOptions, onDeath: DeathListener) => Promise<Executor>;

/**
 * Starts the worker in the compiled gateway, and runs in this thread from TypeScript sources, which a worker cannot
 * load. The state machine is the same; the worker is tested on a bundle of this folder.
 */
export const startExecutor: StartExecutor = (options, onDeath) =>
  import.meta.url.endsWith('.ts') ? startInThisThread(options) : startWorker(options, onDeath);

/** Runs batches in this thread, asynchronously like a worker. */
async function startInThisThread({ path, startedAt }: ExecutorOptions): Promise<Executor> {
  const { machine, migrated, isRecovered, logEpoch, close } = openStateMachine(path, startedAt);
  return { migrated, isRecovered, logEpoch, run: async (batch) => machine.run(batch), close: async () => close() };
}

export type WorkerMessage =
  | {
      readonly kind: 'open';
      readonly migrated: readonly number[];
      readonly isRecovered: boolean;
      readonly logEpoch: string;
    }
  | { readonly kind: 'refused'; readonly error: Error }
  | { readonly kind: 'reply'; readonly reply: BatchReply }
  | { readonly kind: 'closed' };
/** A message to the worker. */
export type WorkerOrder = { readonly kind: 'run'; readonly batch: Batch } | { readonly kind: 'close' };

/** Runs batches in a worker thread, so that fsync does not block the event loop. */
function startWorker(options: ExecutorOptions, onDeath: DeathListener): Promise<Executor> {
  return new WorkerExecutor(options, onDeath).opened;
}

class WorkerExecutor implements Executor {
  migrated: readonly number[] = [];
  isRecovered = false;
  logEpoch = '';
  private readonly worker: Worker;
  private readonly opening = Promise.withResolvers<this>();
  private readonly closing = Promise.withResolvers<void>();
  private readonly waiting: PromiseWithResolvers<BatchReply>[] = [];
  private isClosing = false;
  private death: Error | undefined;

  constructor(
    options: ExecutorOptions,
    private readonly onDeath: DeathListener,
  ) {
    // Without the process's flags, which load instrumentation and test hooks that this thread does not need.
    const settings = { name: 'store', workerData: options, execArgv: [] };
    this.worker = new Worker(new URL('./sqlite.worker.js', import.meta.url), settings);
    this.worker.on('message', (message: WorkerMessage) => this.hear(message));
    this.worker.on('error', (error) => this.die(error as Error));
    this.worker.on('exit', (code) => this.die(new Error(`the store's thread has exited with code ${code}`)));
  }

  /** Resolves when the database is open; rejects if the worker could not open it. */
  get opened(): Promise<Executor> {
    return this.opening.promise;
  }

  run(batch: Batch): Promise<BatchReply> {
    if (this.death) return Promise.reject(this.death);
    const reply = Promise.withResolvers<BatchReply>();
    this.waiting.push(reply);
    this.order({ kind: 'run', batch });
    return reply.promise;
  }

  close(): Promise<void> {
    this.isClosing = true;
    if (this.death) this.closing.resolve();
    else this.order({ kind: 'close' });
    return this.closing.promise;
  }

  private order(order: WorkerOrder): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.worker.postMessage(order);
  }

  private hear(message: WorkerMessage): void {
    switch (message.kind) {
      case 'open':
        this.migrated = message.migrated;
        this.isRecovered = message.isRecovered;
        this.logEpoch = message.logEpoch;
        return this.opening.resolve(this);
      case 'refused':
        this.death = message.error;
        return this.opening.reject(message.error);
      case 'reply':
        // Replies come in the order in which batches were posted.
        return this.waiting.shift()?.resolve(message.reply);
      case 'closed':
        return this.closing.resolve();
    }
  }

  private die(error: Error): void {
    if (this.death) return;
    this.death = error;
    this.opening.reject(error);
    for (const reply of this.waiting.splice(0)) reply.reject(error);
    if (this.isClosing) this.closing.resolve();
    else this.onDeath(error);
  }
}
