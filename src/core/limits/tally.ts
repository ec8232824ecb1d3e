/** Counts entries by key. A key without entries takes no memory. */
export class Tally {
  private readonly counts = new Map<string, number>();

  /** True if no key has an entry. */
  get isEmpty(): boolean {
    return this.counts.size === 0;
  }

  count(key: string): number {
    return this.counts.get(key) ?? 0;
  }

  /** Adds an entry. Returns an idempotent function that removes it. */
  enter(key: string): () => void {
    this.counts.set(key, this.count(key) + 1);
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      const rest = this.count(key) - 1;
      if (rest > 0) this.counts.set(key, rest);
      else this.counts.delete(key);
    };
  }
}
