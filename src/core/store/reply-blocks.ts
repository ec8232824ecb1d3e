import type { StreamBlock } from '../../protocol/domain.js';
import type { Json } from './records.js';

/** Number of blocks after which those so far are joined. */
const JOINED_AT = 256;

/**
 * The standing blocks of a reply that grows, as JSON: that takes a third of the memory of objects, and encoding or joining
 * ten thousand blocks at the end would block the event loop.
 */
export class ReplyBlocks {
  private readonly joined: Json[] = [];
  private newest: Json[] = [];
  private size = 0;
  /** What {@link takeBack} leaves. */
  private marked = { joined: 0, size: 0 };

  /** @param blocks those that stand from the start */
  constructor(blocks: readonly StreamBlock[] = []) {
    for (const block of blocks) this.push(JSON.stringify(block));
  }

  /** Number of blocks; the index of the next one. */
  get length(): number {
    return this.size;
  }

  /** Adds a {@link StreamBlock} as JSON. */
  push(block: Json): void {
    this.size++;
    this.newest.push(block);
    if (this.newest.length === JOINED_AT) this.join();
  }

  /** Marks the place to which {@link takeBack} returns. */
  mark(): void {
    this.join();
    this.marked = { joined: this.joined.length, size: this.size };
  }

  /** Removes the blocks after the mark. */
  takeBack(): void {
    this.newest = [];
    this.joined.length = this.marked.joined;
    this.size = this.marked.size;
  }

  /** Returns the list of the blocks as JSON. */
  toJson(): Json {
    this.join();
    return `[${this.joined.join(',')}]`;
  }

  private join(): void {
    if (this.newest.length === 0) return;
    this.joined.push(this.newest.join(','));
    this.newest = [];
  }
}
