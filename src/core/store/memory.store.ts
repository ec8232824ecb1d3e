/** Something that a session wants to remember. */
export interface Memory {
  /** Chosen by who saves it: the same memory saved again is one memory. */
  readonly memoryId: string;
  readonly tenant: string;
  /** Which collection it belongs to: the id of the session that saved it. */
  readonly collection: string;
  readonly text: string;
  readonly createdAt: number;
}

/** Which memories to look through, and what for. */
export interface MemoryQuery {
  readonly tenant: string;
  readonly collections: readonly string[];
  /** Words in any order; a memory with more of them, and with rarer ones, comes first. Without words: the newest first. */
  readonly words: readonly string[];
  readonly limit: number;
}

/**
 * Long-term memory: short texts in collections, found by their words. A session's `memoryRefs` name the collections that
 * it may look through; its own goes when the session is deleted.
 *
 * Words match from their beginning, without regard to case and accents. All calls reject with GatewayError
 * STORE_UNAVAILABLE when the store cannot answer.
 */
export abstract class MemoryStore {
  /** Keeps a memory, durably when it resolves; false when its collection holds `maxPerCollection` others already. */
  abstract saveMemory(memory: Memory, maxPerCollection: number): Promise<boolean>;

  abstract searchMemories(query: MemoryQuery): Promise<readonly Memory[]>;
}
