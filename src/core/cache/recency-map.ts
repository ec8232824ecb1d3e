/**
 * A map in the order of use: setting an entry moves it to the end. Finds the oldest entry in constant time on average,
 * however many entries were moved and deleted.
 */
export class RecencyMap<K, V> {
  private readonly entries = new Map<K, V>();
  /**
   * Passes the entries in their order. A new iterator for each search would first pass the holes that moved and deleted
   * entries have left in the map, as many as it has entries.
   */
  private order: MapIterator<K> | undefined;
  /** Entries that were set since {@link order} began. */
  private setCount = 0;
  /** The key that {@link order} has passed last, while its entry is the oldest one. */
  private first: K | undefined;

  get size(): number {
    return this.entries.size;
  }

  get(key: K): V | undefined {
    return this.entries.get(key);
  }

  has(key: K): boolean {
    return this.entries.has(key);
  }

  /** Sets an entry, which becomes the newest one. */
  set(key: K, value: V): void {
    this.delete(key);
    this.entries.set(key, value);
    // The map fills a new table now and then, and an iterator keeps all those that were replaced since it was used.
    if (++this.setCount > this.entries.size) this.order = undefined;
  }

  delete(key: K): void {
    this.entries.delete(key);
    if (key === this.first) this.first = undefined;
  }

  clear(): void {
    this.entries.clear();
    this.order = undefined;
    this.first = undefined;
  }

  /** Returns the key of the oldest entry. */
  oldest(): K | undefined {
    return (this.first ??= this.findFirst());
  }

  /** Returns the values, the oldest one first. */
  values(): Iterable<V> {
    return this.entries.values();
  }

  /** Returns the entries, the oldest one first. */
  [Symbol.iterator](): Iterator<[K, V]> {
    return this.entries[Symbol.iterator]();
  }

  private findFirst(): K | undefined {
    if (!this.order) {
      this.order = this.entries.keys();
      this.setCount = 0;
    }
    const { value, done } = this.order.next();
    // It has passed all entries, and those that it passed are gone or come after it: there is none. It would stay at its end.
    if (done) this.order = undefined;
    return value;
  }
}
