/** Event listeners by name. `M` names the events and their arguments. */
export class Listeners<M extends { [K in keyof M]: readonly unknown[] }> {
  readonly #byName: { [K in keyof M]?: Set<(...args: M[K]) => void> } = {};

  /** Calls `listener` at each `name` from now on. Returns a function that unsubscribes it. */
  on<K extends keyof M>(name: K, listener: (...args: M[K]) => void): () => void {
    const listeners = (this.#byName[name] ??= new Set());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  has(name: keyof M): boolean {
    return (this.#byName[name]?.size ?? 0) > 0;
  }

  emit<K extends keyof M>(name: K, ...args: M[K]): void {
    for (const listener of this.#byName[name] ?? []) {
      try {
        listener(...args);
      } catch (error) {
        // The error is reported as uncaught; it must not leave a frame half handled.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
