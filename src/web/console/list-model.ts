import { Signal } from '../model/signal.js';
import type { Page } from './api.js';

/** Reads a page of a list. @param cursor the `next` of the page before; undefined for the first */
export type LoadPage<Row> = (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Row>>;

/** Most rows that are read again at once; after that the list begins with its first page. */
const MAX_REREAD = 1_000;

/**
 * The rows of a list that were read, in the order in which they were. What changes is changed in place; what is new is only
 * counted, and what is gone stays, until the list is read again: nothing moves under a pointer.
 */
export class ListModel<Row> {
  readonly changed = new Signal();
  #rows: readonly Row[] = [];
  #next: string | undefined;
  #phase: 'loading' | 'ready' | 'failed' = 'loading';
  #error: unknown;
  readonly #fresh = new Set<string>();
  readonly #gone = new Set<string>();
  #abort = new AbortController();
  readonly #held: (() => void)[] = [];
  #reading: Promise<void> = Promise.resolve();

  constructor(
    private readonly load: LoadPage<Row>,
    private readonly keyOf: (row: Row) => string,
  ) {}

  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** `failed`: the last page could not be read; the rows are those from before. */
  get phase(): 'loading' | 'ready' | 'failed' {
    return this.#phase;
  }

  get error(): unknown {
    return this.#error;
  }

  /** True if there are pages that were not read. */
  get hasMore(): boolean {
    return this.#next !== undefined;
  }

  /** Number of rows that are new since the list was read. */
  get freshCount(): number {
    return this.#fresh.size;
  }

  isGone(key: string): boolean {
    return this.#gone.has(key);
  }

  /** Reads the list from its beginning, as far as it was read before. The rows stay until then, and if it fails. */
  async read(): Promise<void> {
    this.stop();
    const { signal } = this.#abort;
    const wanted = Math.min(this.#rows.length, MAX_REREAD);
    await this.#try(signal, async () => {
      let page = await this.load(undefined, signal);
      const rows = [...page.items];
      while (page.next !== undefined && rows.length < wanted) {
        page = await this.load(page.next, signal);
        rows.push(...page.items);
      }
      this.#fresh.clear();
      this.#gone.clear();
      this.#rows = rows;
      this.#next = page.next;
    });
  }

  /** Reads the next page, if there is one and none is being read. */
  async readMore(): Promise<void> {
    const cursor = this.#next;
    if (cursor === undefined || this.#phase === 'loading') return;
    const { signal } = this.#abort;
    await this.#try(signal, async () => {
      const { items, next } = await this.load(cursor, signal);
      const known = new Set(this.#rows.map(this.keyOf));
      this.#rows = [...this.#rows, ...items.filter((row) => !known.has(this.keyOf(row)))];
      this.#next = next;
    });
  }

  /**
   * Reads the rows that were read again, and changes them in place. Their order, and what is new, come with {@link read}. If it
   * fails, they stay.
   */
  async refresh(load: LoadPage<Row>): Promise<void> {
    const { signal } = this.#abort;
    const newest = new Map<string, Row>();
    try {
      let cursor: string | undefined;
      do {
        const { items, next } = await load(cursor, signal);
        for (const row of items) newest.set(this.keyOf(row), row);
        cursor = next;
      } while (cursor !== undefined && newest.size < Math.min(this.#rows.length, MAX_REREAD));
    } catch {
      return;
    }
    if (signal.aborted || this.#phase === 'loading') return;
    this.#rows = this.#rows.map((row) => newest.get(this.keyOf(row)) ?? row);
    this.changed.emit();
  }

  /** Reads pages until there are no more, or `count` rows were read, or one fails. */
  async readUpTo(count: number): Promise<void> {
    await this.#reading;
    while (this.hasMore && this.#phase === 'ready' && this.#rows.length < count) await this.readMore();
  }

  /** Ends what is being read. */
  stop(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  /**
   * Handles an event by `act`: at once, or after the page that is being read. That page may be of before the event, and would
   * replace what `act` has changed.
   */
  whenRead(act: () => void): void {
    if (this.#phase === 'loading') this.#held.push(act);
    else act();
  }

  /** Changes a row in place. Returns false if it is not among those that were read. */
  change(key: string, change: (row: Row) => Row): boolean {
    const at = this.#rows.findIndex((row) => this.keyOf(row) === key);
    const row = this.#rows[at];
    if (row === undefined) return false;
    this.#rows = [...this.#rows.slice(0, at), change(row), ...this.#rows.slice(at + 1)];
    this.changed.emit();
    return true;
  }

  /** Changes all rows in place. @param change returns the same rows, in the same order */
  changeAll(change: (rows: readonly Row[]) => readonly Row[]): void {
    this.#rows = change(this.#rows);
    this.changed.emit();
  }

  /** Counts a row that is not among those that were read. */
  announce(key: string): void {
    if (this.#rows.some((row) => this.keyOf(row) === key)) return;
    this.#gone.delete(key);
    this.#fresh.add(key);
    this.changed.emit();
  }

  /** Marks a row that does not belong to the list any more. */
  remove(key: string): void {
    const wasFresh = this.#fresh.delete(key);
    if (!wasFresh && !this.#rows.some((row) => this.keyOf(row) === key)) return;
    if (!wasFresh) this.#gone.add(key);
    this.changed.emit();
  }

  #try(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    this.#reading = this.#attempt(signal, work);
    return this.#reading;
  }

  async #attempt(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    this.#phase = 'loading';
    this.changed.emit();
    try {
      await work();
      if (signal.aborted) return;
      this.#phase = 'ready';
      this.#error = undefined;
    } catch (error) {
      if (signal.aborted) return;
      this.#phase = 'failed';
      this.#error = error;
    }
    for (const act of this.#held.splice(0)) act();
    this.changed.emit();
  }
}

/** The rows of a list that are drawn. */
export interface RowWindow {
  readonly first: number;
  /** Behind the last one. */
  readonly end: number;
}

/** Rows that are drawn beyond each edge of what is in sight. */
const OVERSCAN = 8;

/** Returns the rows to draw of a list that is scrolled. Lengths are in pixels. */
export function findWindow(count: number, rowHeight: number, scrollTop: number, height: number): RowWindow {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - OVERSCAN);
  const end = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + OVERSCAN);
  return { first: Math.min(first, count), end: Math.max(end, Math.min(first, count)) };
}
