import type { StreamBlock } from '../../protocol/domain.js';
import type { Json } from './records.js';

/** Number of blocks after which those so far are encoded. */
const ENCODED_AT = 256;

/**
 * The standing blocks of a reply that grows. All but the newest are held as JSON: that takes a third of the memory of
 * objects, and encoding ten thousand blocks at the end would block the event loop.
 */
export class ReplyBlocks {
  private readonly texts: Json[] = [];
  private newest: StreamBlock[] = [];
  private size = 0;
  /** What {@link takeBack} leaves. */
  private marked = { texts: 0, size: 0 };

  /** @param blocks those that stand from the start */
  constructor(blocks: readonly StreamBlock[] = []) {
    for (const block of blocks) this.push(block);
  }

  /** Number of blocks. */
  get length(): number {
    return this.size;
  }

  /** Adds a block, which must not change afterwards. Returns its index. */
  push(block: StreamBlock): number {
    this.newest.push(block);
    if (this.newest.length === ENCODED_AT) this.encode();
    return this.size++;
  }

  /** Marks the place to which {@link takeBack} returns. */
  mark(): void {
    this.encode();
    this.marked = { texts: this.texts.length, size: this.size };
  }

  /** Removes the blocks after the mark. */
  takeBack(): void {
    this.newest = [];
    this.texts.length = this.marked.texts;
    this.size = this.marked.size;
  }

  /** Returns the list of the blocks as JSON. */
  toJson(): Json {
    this.encode();
    return `[${this.texts.join(',')}]`;
  }

  private encode(): void {
    if (this.newest.length === 0) return;
    this.texts.push(JSON.stringify(this.newest).slice(1, -1));
    this.newest = [];
  }
}
