/** A cache of at most `capacity` entries that evicts the least recently used one. */
export class BoundedMap<K, V> {
  private readonly entries = new Map<K, V>();
  /**
   * Passes the entries in the order of their eviction. A new iterator for each eviction would first pass the holes that
   * all deleted entries have left in the map, thousands of them.
   */
  private oldest: MapIterator<K> | undefined;

  constructor(private readonly capacity: number) {}

  get(key: K): V | undefined {
    const value = this.entries.get(key);
    if (value !== undefined && this.entries.size > this.capacity / 2) {
      // The order matters only near the capacity; below half of it a hit costs one look-up.
      this.entries.delete(key);
      this.entries.set(key, value);
    }
    return value;
  }

  set(key: K, value: V): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size > this.capacity) this.evict();
  }

  /** Returns the values. Looking at them does not count as use. */
  values(): Iterable<V> {
    return this.entries.values();
  }

  delete(key: K): void {
    this.entries.delete(key);
  }

  clear(): void {
    this.entries.clear();
    this.oldest = undefined;
  }

  private evict(): void {
    this.oldest ??= this.entries.keys();
    const { value, done } = this.oldest.next();
    // Never done: entries that are added or used come after those that it has passed.
    if (!done) this.entries.delete(value);
  }
}
