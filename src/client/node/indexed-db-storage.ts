import { StorageInUseError, type NodeStorage } from './storage.js';

/** The parts of IndexedDB that are used; the types of the DOM are not known here. */
interface DbRequest<T> {
  readonly result: T;
  readonly error: Error | null;
  addEventListener(type: string, listener: () => void): void;
}
interface DbValues {
  get(key: string): DbRequest<unknown>;
  getAll(range: unknown): DbRequest<unknown[]>;
  put(value: unknown, key: string): DbRequest<unknown>;
  delete(key: string): DbRequest<unknown>;
}
interface DbTransaction extends DbRequest<unknown> {
  objectStore(name: string): DbValues;
}
interface Db {
  transaction(name: string, mode: 'readonly' | 'readwrite', options: { durability: 'strict' }): DbTransaction;
  createObjectStore(name: string): unknown;
}
interface LockManager {
  request(name: string, hold: () => unknown): Promise<unknown>;
  request(name: string, options: { ifAvailable: true }, hold: (lock: object | null) => unknown): Promise<unknown>;
}
interface DbGlobals {
  readonly navigator: { readonly locks?: LockManager };
  readonly indexedDB: { open(name: string, version: number): DbRequest<Db> };
  readonly IDBKeyRange: { bound(lower: string, upper: string): unknown };
}

const STORE = 'values';

/** The highest character, for the end of a range of keys. */
const LAST = '\uFFFF';

/** Keeps values in IndexedDB of a browser, keys that cannot be exported included. */
export class IndexedDbNodeStorage implements NodeStorage {
  readonly keepsKeys = true;
  #opened: Promise<Db> | undefined;
  readonly #globals = globalThis as unknown as DbGlobals;

  /** @param name of the database; another one for each gateway that this page is a node of */
  constructor(private readonly name = 'openclaw-node') {}

  read(key: string): Promise<unknown> {
    return this.#run('readonly', (values) => values.get(key));
  }

  async write(key: string, value: unknown): Promise<void> {
    await this.#run('readwrite', (values) => values.put(value, key));
  }

  async remove(key: string): Promise<void> {
    await this.#run('readwrite', (values) => values.delete(key));
  }

  list(prefix: string): Promise<readonly unknown[]> {
    const range = this.#globals.IDBKeyRange.bound(prefix, prefix + LAST);
    return this.#run('readonly', (values) => values.getAll(range));
  }

  /** Another tab of the browser may be open on the same page. */
  lock(): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const { locks } = this.#globals.navigator;
      if (!locks) return resolve(() => {});
      const hold = (lock: object | null) =>
        lock
          ? new Promise<void>((release) => resolve(() => release()))
          : reject(new StorageInUseError('another tab of this browser is this device'));
      locks.request(this.name, { ifAvailable: true }, hold).catch(reject);
    });
  }

  /** Resolves when no other tab of the browser has the storage for itself. Closing a tab releases it a moment later. */
  async whenFree(): Promise<void> {
    await this.#globals.navigator.locks?.request(this.name, () => {});
  }

  /** Resolves with the result of a request once its transaction is complete. */
  async #run<T>(mode: 'readonly' | 'readwrite', request: (values: DbValues) => DbRequest<T>): Promise<T> {
    const database = await (this.#opened ??= this.#open());
    const transaction = database.transaction(STORE, mode, { durability: 'strict' });
    const asked = request(transaction.objectStore(STORE));
    return new Promise((resolve, reject) => {
      transaction.addEventListener('complete', () => resolve(asked.result));
      const fail = () => reject(asked.error ?? transaction.error ?? new Error('the browser cannot store values'));
      transaction.addEventListener('abort', fail);
      transaction.addEventListener('error', fail);
    });
  }

  #open(): Promise<Db> {
    return new Promise((resolve, reject) => {
      const request = this.#globals.indexedDB.open(this.name, 1);
      request.addEventListener('upgradeneeded', () => void request.result.createObjectStore(STORE));
      request.addEventListener('success', () => resolve(request.result));
      request.addEventListener('error', () => reject(request.error ?? new Error('the browser has no database')));
    });
  }
}
