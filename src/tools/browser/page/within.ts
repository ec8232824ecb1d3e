import type { Clock } from '../../../core/time/clock.js';

/** Thrown when something did not end in time. */
export class LateError extends Error {
  constructor(reason = 'it took too long') {
    super(reason);
    this.name = 'LateError';
  }
}

/**
 * Settles like `work`, or rejects after `ms` milliseconds of our own clock, whatever `work` does. A late failure of
 * `work` is ignored.
 * @throws LateError
 */
export function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const cancel = clock.setTimer(ms, () => reject(new LateError()));
  work.then(resolve, reject).finally(cancel);
  return promise;
}
