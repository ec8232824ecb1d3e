import { EXIT } from './faults.js';
import { request, requestDone, requestJson, type GatewayRequest } from './http.js';
import type { GatewayTarget } from './options.js';
import { formatTable } from './table.js';
import { makeTable } from './tenant-column.js';
import { printable, printJson, type Terminal } from './terminal.js';

/** Maximum length of a text in a table. */
const MAX_CELL_LENGTH = 60;

/** Length of the pages that lists are read in. */
const PAGE = 200;

/** Items that a list prints by default. */
const DEFAULT_ITEMS = 100;

/** A page of a list of the administration API. */
interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/** The values of a query; those that are undefined are left out. */
type Query = Readonly<Record<string, string | undefined>>;

/** A command that talks to the administration API of a gateway, and prints for people or programs. */
export class AdminSession {
  constructor(
    readonly terminal: Terminal,
    readonly target: GatewayTarget,
    readonly isJson = false,
  ) {}

  /** Requests JSON. @throws UnreachableError; Error with the gateway's message */
  ask<T>(path: string, init: GatewayRequest = {}, timeoutMs?: number): Promise<T> {
    return requestJson<T>(this.terminal, this.target, `/admin/v1/${path}`, init, timeoutMs);
  }

  /** Makes a request whose response has no content. @throws UnreachableError; Error with the gateway's message */
  do(path: string, init: GatewayRequest): Promise<void> {
    return requestDone(this.terminal, this.target, `/admin/v1/${path}`, init);
  }

  /** Requests a response of any kind. @throws UnreachableError */
  fetch(path: string, timeoutMs?: number): Promise<Response> {
    return request(this.terminal, this.target, `/admin/v1/${path}`, {}, timeoutMs);
  }

  /** Reads the first items of a list, in pages. `next` of the result is set if there are more. */
  async list<T>(path: string, query: Query = {}, limit = DEFAULT_ITEMS): Promise<Page<T>> {
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const page: Page<T> = await this.ask(
        `${path}?${encodeQuery({ ...query, limit: String(Math.min(PAGE, limit - items.length)), cursor })}`,
      );
      items.push(...page.items);
      cursor = page.next;
    } while (cursor !== undefined && items.length < limit);
    return { items, ...(cursor !== undefined && { next: cursor }) };
  }

  /** Prints a body as JSON, or a table with a head. `below` has the text below each row, or none. */
  print(body: unknown, table: readonly (readonly string[])[], below: readonly string[] = []): number {
    if (this.isJson) printJson(this.terminal, body);
    else this.terminal.stdout.write(printable(formatTable(table, below), this.terminal.stdout));
    return EXIT.done;
  }

  /** Prints what was done: a sentence for people, or its facts for programs. */
  confirm(sentence: string, facts: object): number {
    return this.print(facts, [[sentence]]);
  }

  /** Prints a list, and for people whether there is more. `toText` returns what stands whole below a row. */
  async printList<T extends object>(
    page: Page<T>,
    head: readonly string[],
    toRow: (item: T) => readonly string[],
    toText?: (item: T) => string,
  ): Promise<number> {
    const table = this.isJson ? [] : await makeTable(this, head, page.items, toRow);
    // The head has none.
    this.print(page, table, toText && ['', ...page.items.map(toText)]);
    if (page.next !== undefined && !this.isJson)
      this.terminal.stderr.write(`There are more; --limit shows more than ${page.items.length}\n`);
    return EXIT.done;
  }
}

/** Encodes a query for the address of a request. */
export function encodeQuery(query: Query): string {
  return Object.entries(query)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]))
    .join('&');
}

/** Returns the beginning of a long text, in one line; --json has the whole. */
export function cut(text: string, max = MAX_CELL_LENGTH): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > max ? `${line.slice(0, max - 1)}…` : line;
}

/** Formats a time in UTC, to the second. */
export function formatTime(at: number | undefined): string {
  return at === undefined ? '-' : new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}

/** Formats a duration: `250 ms`, `1.2 s`. */
export function formatMs(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
