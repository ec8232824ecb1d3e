/** Event listeners by event name. `M` maps each event name to its arguments. */
export class Listeners<M extends { [K in keyof M]: readonly unknown[] }> {
  readonly #byName: { [K in keyof M]?: Set<(...args: M[K]) => void> } = {};

  /** Calls `listener` on each `name` event. Returns a function that unsubscribes it. */
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
        // Rethrown as an uncaught error: an exception here would leave the frame half handled.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
