/** A short text that a session remembers. */
export interface Memory {
  /** Chosen by the caller; saving the same id again is a no-op. */
  readonly memoryId: string;
  readonly tenant: string;
  /** The collection it belongs to: the id of the session that saved it. */
  readonly collection: string;
  readonly text: string;
  readonly createdAt: number;
}

/** Selects memories by collection and words. */
export interface MemoryQuery {
  readonly tenant: string;
  readonly collections: readonly string[];
  /** Words in any order. Memories that match more and rarer words come first; without words, the newest come first. */
  readonly words: readonly string[];
  readonly limit: number;
}

/**
 * Long-term memory: short texts in collections, found by their words. A session's `memoryRefs` name the collections
 * that it may search. Its own collection is deleted with the session.
 *
 * Words match by prefix, ignoring case and accents. All calls reject with GatewayError STORE_UNAVAILABLE when the store
 * cannot answer.
 */
export abstract class MemoryStore {
  /**
   * Saves a memory; durable when it resolves. Resolves with false if the collection already has `maxPerCollection`
   * others.
   */
  abstract saveMemory(memory: Memory, maxPerCollection: number): Promise<boolean>;

  abstract searchMemories(query: MemoryQuery): Promise<readonly Memory[]>;
}
