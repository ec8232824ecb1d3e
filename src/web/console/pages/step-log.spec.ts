import { expect, it } from 'vitest';
import type { Page, Query } from '../api.js';
import { readLinesOf } from './step-log.js';

/** Logs with a line in each millisecond from `first` to `last`, newest first. */
function makeApi(first: number, last: number) {
  let pages = 0;
  const page = async <T>(_path: string, { limit }: Query, cursor?: string): Promise<Page<T>> => {
    pages++;
    const newest = cursor === undefined ? last : Number(cursor);
    const length = Math.min(Number(limit), newest - first + 1);
    const items = Array.from({ length }, (_, i) => ({ id: String(newest - i), at: newest - i }) as T);
    const next = newest - length;
    return { items, ...(next >= first && { next: String(next) }) };
  };
  return { api: { page }, countPages: () => pages };
}

it('the lines of a time are read page by page, and none before it', async () => {
  const { api, countPages } = makeApi(1, 1_000);
  const lines = await readLinesOf(api, 500, 504);
  expect([lines.map(({ at }) => at), countPages()]).toEqual([[500, 501, 502, 503, 504], 3]);
});

it('of very many lines the last ones are shown, and of a time that the logs do not reach none', async () => {
  const { api } = makeApi(1_000, 9_000);
  const lines = await readLinesOf(api, 1_000, 8_000);
  expect([lines.length, lines.at(-1)?.at]).toEqual([200, 8_000]);
  expect(await readLinesOf(api, 10, 20)).toEqual([]);
});
