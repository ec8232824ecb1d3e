import { hash } from 'node:crypto';
import { GatewayError } from '../protocol/index.js';

/** Length of a page when the request names none. */
export const DEFAULT_LIMIT = 50;

/** Length of the digest in a cursor, in characters of base64url. */
const DIGEST_LENGTH = 12;

/** The part of a query that selects a page. */
interface PageRequest {
  readonly limit?: number;
  readonly cursor?: string;
}

/**
 * Returns a page of a list in memory.
 * @param keyOf returns what identifies an item; the position of a cursor is the key of the last item
 * @throws GatewayError INVALID_PAYLOAD for the cursor of another list
 */
export function paginate<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  { limit = DEFAULT_LIMIT, cursor }: PageRequest,
  cursors: Cursors<string>,
): { items: T[]; next?: string } {
  const after = cursors.decode(cursor);
  const from = after === undefined ? 0 : items.findIndex((item) => keyOf(item) === after) + 1;
  const page = items.slice(from, from + limit);
  const last = page.at(-1);
  const hasMore = last !== undefined && from + limit < items.length;
  return { items: page, ...(hasMore && { next: cursors.encode(keyOf(last)) }) };
}

/**
 * Returns a page of a large collection in memory, sorted by key, in one pass. It may change between two pages: an item that
 * stays is listed once.
 */
export function pickPage<T>(
  all: Iterable<T>,
  keyOf: (item: T) => string,
  { limit = DEFAULT_LIMIT, cursor = '' }: PageRequest,
): { items: T[]; next?: string } {
  const picked: { readonly key: string; readonly item: T }[] = [];
  for (const item of all) {
    const key = keyOf(item);
    if (key <= cursor || (picked.length > limit && key >= (picked.at(-1)?.key ?? ''))) continue;
    const at = picked.findIndex((other) => other.key > key);
    picked.splice(at === -1 ? picked.length : at, 0, { key, item });
    if (picked.length > limit + 1) picked.pop();
  }
  const last = picked.length > limit ? picked[limit - 1] : undefined;
  return { items: picked.slice(0, limit).map(({ item }) => item), ...(last && { next: last.key }) };
}

/**
 * The cursors of a list: a position, with a digest of everything that the list was asked for. A cursor of another tenant or of
 * other filters, and one that was changed, is refused.
 */
export class Cursors<P> {
  private readonly asked: string;

  /** @param asked the tenant and the filters */
  constructor(...asked: readonly unknown[]) {
    this.asked = JSON.stringify(asked);
  }

  encode(position: P): string {
    const text = JSON.stringify(position);
    return Buffer.from(JSON.stringify([position, this.digest(text)])).toString('base64url');
  }

  /** Returns the position of a cursor; undefined for none. @throws GatewayError INVALID_PAYLOAD */
  decode(cursor: string | undefined): P | undefined {
    if (cursor === undefined) return undefined;
    const position = readPosition(cursor);
    if (position !== undefined && this.encode(position as P) === cursor) return position as P;
    throw new GatewayError('INVALID_PAYLOAD', {
      faults: [{ pointer: '/cursor', message: 'must be the `next` of a page of the same list with the same filters' }],
    });
  }

  private digest(text: string): string {
    return hash('sha256', `${this.asked}\n${text}`, 'base64url').slice(0, DIGEST_LENGTH);
  }
}

function readPosition(cursor: string): unknown {
  try {
    const [position] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    return position;
  } catch {
    return undefined;
  }
}
