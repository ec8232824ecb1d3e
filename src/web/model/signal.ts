/** An event with any number of subscribers. */
export class Signal<T = void> {
  readonly #subscribers = new Set<(value: T) => void>();

  /** Calls `subscriber` on each event. Returns a function that unsubscribes it. */
  subscribe(subscriber: (value: T) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => void this.#subscribers.delete(subscriber);
  }

  emit(value: T): void {
    for (const subscriber of this.#subscribers) subscriber(value);
  }
}
