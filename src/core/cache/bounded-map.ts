import { RecencyMap } from './recency-map.js';

/** A cache of at most `capacity` entries that evicts the least recently used one. */
export class BoundedMap<K, V> {
  private readonly entries = new RecencyMap<K, V>();

  constructor(private readonly capacity: number) {}

  get(key: K): V | undefined {
    const value = this.entries.get(key);
    // The order matters only near the capacity; below half of it a hit costs one look-up.
    if (value !== undefined && this.entries.size > this.capacity / 2) this.entries.set(key, value);
    return value;
  }

  set(key: K, value: V): void {
    this.entries.set(key, value);
    if (this.entries.size <= this.capacity) return;
    const oldest = this.entries.oldest();
    if (oldest !== undefined) this.entries.delete(oldest);
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
  }
}
