import type { StreamBlock } from '../../protocol/domain.js';
import type { Json } from './records.js';

/** The blocks of a reply are kept up to this length together, in UTF-16 units of JSON. */
export const MAX_KEPT_LENGTH = 65_536;

/**
 * The standing blocks of a reply that grows. Those of a short reply are kept as JSON, because encoding them at the end would
 * be a second time. Those of a long one are only counted: they are in the log, from which the store takes them at the end.
 */
export class ReplyBlocks {
  private kept: Json[] | undefined = [];
  private keptLength = 0;
  private size = 0;
  /** The rest after {@link takeBack}. */
  private marked = { size: 0, keptLength: 0 };

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
    this.keptLength += block.length;
    if (this.keptLength > MAX_KEPT_LENGTH) this.kept = undefined;
    this.kept?.push(block);
  }

  /** Marks the place to which {@link takeBack} returns. */
  mark(): void {
    this.marked = { size: this.size, keptLength: this.keptLength };
  }

  /** Removes the blocks after the mark. */
  takeBack(): void {
    ({ size: this.size, keptLength: this.keptLength } = this.marked);
    if (this.kept) this.kept.length = this.size;
  }

  /** Returns the list of the blocks as JSON; undefined if they are not kept. */
  toJson(): Json | undefined {
    return this.kept && `[${this.kept.join(',')}]`;
  }
}

/**
 * Returns a reply as JSON.
 * @param rest a `Reply` without its blocks
 * @param blocks the list of its blocks
 */
export function addBlocks(rest: Json, blocks: Json): Json {
  return `${rest.slice(0, -1)},"blocks":${blocks}}`;
}
