/** A browser's storage in memory, whose entries a test reads and writes. */
export class FakeStorage {
  readonly entries = new Map<string, string>();
  /** True when writing fails for lack of space. */
  isFull = false;

  getItem(key: string): string | null {
    return this.entries.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    if (this.isFull) throw new DOMException('full', 'QuotaExceededError');
    this.entries.set(key, value);
  }

  removeItem(key: string): void {
    this.entries.delete(key);
  }
}
