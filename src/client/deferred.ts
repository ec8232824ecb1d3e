/** A promise with its resolvers. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** Creates a pending promise. `Promise.withResolvers` is missing in Safari before 17.4. */
export function defer<T>(): Deferred<T> {
  let resolvers!: Pick<Deferred<T>, 'resolve' | 'reject'>;
  const promise = new Promise<T>((resolve, reject) => (resolvers = { resolve, reject }));
  return { promise, ...resolvers };
}
