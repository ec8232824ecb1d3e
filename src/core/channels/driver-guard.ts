import { AsyncLocalStorage } from 'node:async_hooks';

/** Receives the errors that a driver, or a vendor's SDK behind it, throws where nothing can catch them. */
export interface Guarded {
  fail(error: unknown): void;
}

const running = new AsyncLocalStorage<Guarded>();

/** Calls a driver. What it starts belongs to `run` from then on: timers, listeners, promises that nothing awaits. */
export function callDriver<T>(run: Guarded, call: () => T): T {
  return running.run(run, call);
}

/** Wraps a function that a driver calls: the gateway's own work does not belong to the driver. */
export function leaveDriver<A extends readonly unknown[], T>(work: (...all: A) => T): (...all: A) => T {
  return (...all) => running.exit(() => work(...all));
}

/**
 * Ends the run of a driver that throws, or rejects, where nothing can catch it. Other errors end the process, as they do
 * without this. Returns a function that undoes it.
 */
export function guardProcess(): () => void {
  const handle = (error: unknown) => {
    const run = running.getStore();
    if (run) return run.fail(error);
    undo();
    setImmediate(() => {
      throw error;
    });
  };
  const undo = () => {
    process.off('uncaughtException', handle);
    process.off('unhandledRejection', handle);
  };
  process.on('uncaughtException', handle);
  process.on('unhandledRejection', handle);
  return undo;
}
