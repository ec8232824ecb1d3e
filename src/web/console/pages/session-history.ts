import { Signal } from '../../model/signal.js';
import type { Page } from '../api.js';
import type { HistoryItem } from './history-item.js';

/** Most pages that are read to find a turn. */
const MAX_PAGES = 20;

/** Reads a page of messages, oldest first; its `next` leads to older ones. */
export type ReadMessages = (cursor: string | undefined) => Promise<Page<HistoryItem>>;

/** The turns of a conversation that were read, oldest first: the newest page, and older ones on demand. */
export class SessionHistory {
  readonly changed = new Signal();
  #items: readonly HistoryItem[] = [];
  #older: string | undefined;
  #isReading = false;

  constructor(private readonly load: ReadMessages) {}

  get items(): readonly HistoryItem[] {
    return this.#items;
  }

  /** True if there are older turns that were not read. */
  get hasOlder(): boolean {
    return this.#older !== undefined;
  }

  /** Reads the newest turns again. Those that were read before keep their place. @throws ApiError */
  async readNewest(): Promise<void> {
    const { items, next } = await this.load(undefined);
    const isFirst = this.#items.length === 0;
    const [oldest] = items;
    const at = oldest ? this.#items.findIndex(({ message_ref: ref }) => ref === oldest.message_ref) : 0;
    // The new page does not reach the known items: appending it would leave a gap.
    const hasGap = !isFirst && at === -1;
    if (isFirst || hasGap) this.#older = next;
    this.#items = [...(hasGap ? [] : this.#items.slice(0, Math.max(0, at))), ...items.map((item) => this.#keep(item))];
    this.changed.emit();
  }

  /** Reads the page of turns before the oldest one. @throws ApiError */
  async readOlder(): Promise<void> {
    if (this.#older === undefined || this.#isReading) return;
    this.#isReading = true;
    try {
      const { items, next } = await this.load(this.#older);
      this.#items = [...items, ...this.#items];
      this.#older = next;
    } finally {
      this.#isReading = false;
    }
    this.changed.emit();
  }

  /** Reads older pages until a turn is among them. Returns whether it is there. @throws ApiError */
  async find(ref: string): Promise<boolean> {
    const isThere = () => this.#items.some(({ message_ref: each }) => each === ref);
    for (let page = 0; page < MAX_PAGES && !isThere() && this.hasOlder; page++) await this.readOlder();
    return isThere();
  }

  /** Unchanged entries stay the same objects, and are not drawn again. */
  #keep(item: HistoryItem): HistoryItem {
    const known = this.#items.find(({ message_ref: ref }) => ref === item.message_ref);
    return known && JSON.stringify(known) === JSON.stringify(item) ? known : item;
  }
}
