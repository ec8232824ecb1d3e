import type { PageQuery } from './agents.dto.js';

/** Length of a page when the request names none. */
export const DEFAULT_LIMIT = 50;

/**
 * Returns a page of a list in memory.
 * @param keyOf returns what identifies an item; the cursor of a page is the key of its last item
 */
export function paginate<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  { limit = DEFAULT_LIMIT, cursor }: PageQuery,
): { items: T[]; next?: string } {
  const from = cursor === undefined ? 0 : items.findIndex((item) => keyOf(item) === cursor) + 1;
  const page = items.slice(from, from + limit);
  const last = page.at(-1);
  return { items: page, ...(last !== undefined && from + limit < items.length && { next: keyOf(last) }) };
}
