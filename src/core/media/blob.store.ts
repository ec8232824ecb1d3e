/** The keys that a {@link BlobStore} must take: letters, digits, `_` and `-`, 4 to 64 of them. */
export const BLOB_KEY = /^[A-Za-z0-9_-]{4,64}$/;

/**
 * Keeps the bytes of files under keys that the caller chooses. What is known of a file besides its bytes stands in the
 * `MediaStore`.
 *
 * All calls reject with GatewayError STORE_UNAVAILABLE when the engine cannot be reached or has no room, and with an
 * Error when the key is not a {@link BLOB_KEY}. The local folder engine keeps its blobs on one machine: with several
 * replicas, an engine that all of them reach is needed.
 */
export abstract class BlobStore {
  /**
   * Stores the bytes of `body`, never more of them in memory than a few chunks. A blob of that key is replaced as a
   * whole. The blob is durable when the call resolves. When `body` throws, the call rejects with its error and nothing
   * has changed; the same holds when the process dies meanwhile.
   */
  abstract put(key: string, body: AsyncIterable<Uint8Array>): Promise<void>;

  /**
   * Opens a blob; resolves with undefined when there is none. The caller must read the stream to its end or end the
   * iteration, so that what it holds is freed.
   */
  abstract get(key: string): Promise<AsyncIterable<Uint8Array> | undefined>;

  abstract exists(key: string): Promise<boolean>;

  /** Deletes a blob, durably or not at all; does nothing when there is none. */
  abstract remove(key: string): Promise<void>;
}
