/** Thrown when another program, or another tab of a browser, has a storage for itself. */
export class StorageInUseError extends Error {
  override readonly name = 'StorageInUseError';
}

/** Storage of a node: its identity, the results of its calls, and events that the gateway has not acknowledged. */
export interface NodeStorage {
  /** True if it keeps keys that cannot be exported. */
  readonly keepsKeys: boolean;
  /** Resolves with undefined if there is none. */
  read(key: string): Promise<unknown>;
  /** Replaces a value. It survives a crash once this resolves. */
  write(key: string, value: unknown): Promise<void>;
  remove(key: string): Promise<void>;
  /** Lists the values whose keys begin with `prefix`, in no order. */
  list(prefix: string): Promise<readonly unknown[]>;
  /**
   * Takes the storage for this program alone, until the returned function is called or the program ends: each of two programs
   * would start the calls that the other has started. Absent where no other program can have it.
   * @throws StorageInUseError if another program has it
   */
  lock?(): Promise<() => void>;
}

/** Keeps everything in memory, for tests and for nodes whose commands may run twice after a crash. */
export class MemoryNodeStorage implements NodeStorage {
  readonly keepsKeys = true;
  readonly #values = new Map<string, unknown>();

  async read(key: string): Promise<unknown> {
    return this.#values.get(key);
  }

  async write(key: string, value: unknown): Promise<void> {
    this.#values.set(key, structuredClone(value));
  }

  async remove(key: string): Promise<void> {
    this.#values.delete(key);
  }

  async list(prefix: string): Promise<readonly unknown[]> {
    return [...this.#values].filter(([key]) => key.startsWith(prefix)).map(([, value]) => value);
  }
}
