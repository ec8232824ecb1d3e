/** The rows of a list that are checked, by their keys. */
export class CheckedRows {
  readonly #keys = new Set<string>();
  #last: string | undefined;

  get keys(): ReadonlySet<string> {
    return this.#keys;
  }

  /** Checks the rows with these keys, and no others. */
  replace(keys: readonly string[]): void {
    this.#keys.clear();
    for (const key of keys) this.#keys.add(key);
  }

  /**
   * Checks the row at a place, or no longer; with `isRange` all rows from the one of the last call up to it.
   * @param all the keys of the rows, in order
   */
  toggle(all: readonly string[], at: number, isRange: boolean): void {
    const key = all[at];
    if (key === undefined) return;
    const isOn = !this.#keys.has(key);
    const from = isRange && this.#last !== undefined ? all.indexOf(this.#last) : at;
    const range = from === -1 ? [key] : all.slice(Math.min(from, at), Math.max(from, at) + 1);
    for (const each of range) {
      if (isOn) this.#keys.add(each);
      else this.#keys.delete(each);
    }
    this.#last = key;
  }
}
