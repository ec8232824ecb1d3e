/** The keys that a {@link BlobStore} must accept: 4 to 64 letters, digits, `_` and `-`. */
export const BLOB_KEY = /^[A-Za-z0-9_-]{4,64}$/;

/** The key of a blob does not match {@link BLOB_KEY}. */
export class InvalidBlobKeyError extends Error {
  constructor(key: string) {
    super(`the key of a blob must have 4 to 64 letters, digits, _ and -, not ${JSON.stringify(key)}`);
    this.name = 'InvalidBlobKeyError';
  }
}

/**
 * Stores the bytes of files under keys that the caller chooses. `MediaStore` has their metadata.
 *
 * All calls reject with GatewayError STORE_UNAVAILABLE when the engine cannot be reached or is full, and with
 * {@link InvalidBlobKeyError} when the key does not match {@link BLOB_KEY}. Several replicas need an engine that all of them can reach; the local
 * folder is on one machine.
 */
export abstract class BlobStore {
  /**
   * Stores the bytes of `body`, with at most a few chunks in memory. Replaces a blob with the same key atomically. The
   * blob is durable when the call resolves. If `body` throws, the call rejects with its error and nothing has changed;
   * the same holds if the process dies before. The chunks belong to the call: it may free their memory.
   */
  abstract put(key: string, body: AsyncIterable<Uint8Array>): Promise<void>;

  /**
   * Opens a blob; resolves with undefined if there is none. The caller must read the stream to its end or return from
   * the iteration to free its resources.
   */
  abstract get(key: string): Promise<AsyncIterable<Uint8Array> | undefined>;

  abstract exists(key: string): Promise<boolean>;

  /**
   * Lists the keys of the blobs that were stored before a time, in Unix milliseconds, and deletes what uploads that were
   * interrupted before that time have left.
   */
  abstract list(storedBefore: number): AsyncIterable<string>;

  /** Deletes a blob durably; does nothing if there is none. */
  abstract remove(key: string): Promise<void>;
}
