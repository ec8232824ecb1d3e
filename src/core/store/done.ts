/**
 * A callback in place of a promise, for calls that are made for each message. It is called once, with the result or with
 * the error that a promise would reject with, and must not throw.
 */
export type Done<T> = (result: T | Error) => void;

/** Makes a promise of a call that takes a callback. */
export function promised<T>(call: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) =>
    call((result) => (result instanceof Error ? reject(result) : resolve(result))),
  );
}
