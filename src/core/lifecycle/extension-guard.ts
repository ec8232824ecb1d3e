import { AsyncLocalStorage } from 'node:async_hooks';

/** Takes the errors that code of a team, or a vendor's SDK behind it, throws outside of any call. */
export interface Guarded {
  fail(error: unknown): void;
}

const running = new AsyncLocalStorage<Guarded>();

/** Calls a driver or a tool. What it starts belongs to `owner` from then on: timers, listeners, promises that nothing awaits. */
export function callExtension<T>(owner: Guarded, call: () => T): T {
  return running.run(owner, call);
}

/** Wraps a function that a driver or a tool calls: the gateway's own work does not belong to it. */
export function leaveExtension<A extends readonly unknown[], T>(work: (...all: A) => T): (...all: A) => T {
  return (...all) => running.exit(() => work(...all));
}

/**
 * Gives an error that nothing catches to the owner of the code that threw it. Returns a function that undoes it.
 * @param end takes errors without an owner, which are the gateway's own: it must end the process
 * @param note takes what an owner throws instead of taking an error, which may throw when it is read
 */
export function guardProcess(end: (error: unknown) => void, note: (failure: unknown) => void): () => void {
  const handle = (error: unknown) => {
    const owner = running.getStore();
    if (!owner) return end(error);
    try {
      owner.fail(error);
    } catch (failure) {
      note(failure);
    }
  };
  process.on('uncaughtException', handle);
  process.on('unhandledRejection', handle);
  return () => {
    process.off('uncaughtException', handle);
    process.off('unhandledRejection', handle);
  };
}
