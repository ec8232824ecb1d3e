import { BoundedMap } from './bounded-map.js';

/** A {@link BoundedMap} whose entries are gone some time after they were set. */
export class ExpiringMap<K, V> {
  private readonly entries: BoundedMap<K, { readonly value: V; readonly until: number }>;

  /**
   * @param capacity the largest number of entries
   * @param keptMs how long an entry is kept, in milliseconds
   * @param elapsed returns the time of the monotonic clock, in milliseconds
   */
  constructor(
    capacity: number,
    private readonly keptMs: number,
    private readonly elapsed: () => number,
  ) {
    this.entries = new BoundedMap(capacity);
  }

  get(key: K): V | undefined {
    const entry = this.entries.get(key);
    return entry && entry.until > this.elapsed() ? entry.value : undefined;
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  /** Sets an entry. Its time begins now. */
  set(key: K, value: V): void {
    this.entries.set(key, { value, until: this.elapsed() + this.keptMs });
  }

  /** Deletes an entry. Returns whether there was one, even if its time was over. */
  delete(key: K): boolean {
    const was = this.entries.get(key) !== undefined;
    this.entries.delete(key);
    return was;
  }
}
