import { BoundedMap } from './bounded-map.js';

/**
 * A cache in two segments, each of which evicts its least recently used entry (segmented LRU). Entries that are used once
 * only come and go in the small one: a flood of them neither fills the memory nor evicts those that are used again.
 */
export class SegmentedMap<K, V> {
  private readonly once: BoundedMap<K, V>;
  private readonly again: BoundedMap<K, V>;

  /**
   * @param capacity number of entries that were used again
   * @param onceCapacity number of entries that were not
   */
  constructor(capacity: number, onceCapacity: number) {
    this.again = new BoundedMap(capacity);
    this.once = new BoundedMap(onceCapacity);
  }

  /** Returns the entry of a key. This is a use of it. */
  use(key: K): V | undefined {
    const value = this.again.get(key);
    if (value !== undefined) return value;
    const first = this.once.get(key);
    if (first === undefined) return undefined;
    this.once.delete(key);
    this.again.set(key, first);
    return first;
  }

  /** Returns the entry of a key, whose uses do not change. */
  get(key: K): V | undefined {
    return this.again.get(key) ?? this.once.get(key);
  }

  /** Adds an entry, which must be a new one. This is its first use. */
  add(key: K, value: V): void {
    this.once.set(key, value);
  }

  delete(key: K): void {
    this.again.delete(key);
    this.once.delete(key);
  }

  clear(): void {
    this.again.clear();
    this.once.clear();
  }
}
