/** Counts entries by key. A key without entries takes no memory. */
export class Tally {
  private readonly entries = new Map<string, { readonly key: string; count: number }>();

  /** True if no key has an entry. */
  get isEmpty(): boolean {
    return this.entries.size === 0;
  }

  count(key: string): number {
    return this.entries.get(key)?.count ?? 0;
  }

  /** Adds an entry. Returns an idempotent function that removes it. */
  enter(key: string): () => void {
    const known = this.entries.get(key);
    const entry = known ?? { key, count: 0 };
    if (!known) this.entries.set(key, entry);
    entry.count++;
    let isIn = true;
    // Keeps the first text of the key, not one for each entry.
    return () => {
      if (!isIn) return;
      isIn = false;
      if (--entry.count === 0) this.entries.delete(entry.key);
    };
  }
}
