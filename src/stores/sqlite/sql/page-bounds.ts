/** Number of rows that a page visits at most. A list that most rows do not fit has pages with few items, or none. */
export const MAX_VISITED = 5_000;

/** Time that a page takes of the store, in milliseconds, and what is left of {@link TIMED_ROWS}. */
const MAX_PAGE_MS = 15;

/** Number of rows after which a page looks at the time: a pause of the machine does not cut a short list. */
const TIMED_ROWS = 32;

/** Begins a page. Returns a function that is called after each visited row, and returns whether the page has to end. */
export function startPage(): () => boolean {
  const until = performance.now() + MAX_PAGE_MS;
  let visited = 0;
  return () => ++visited >= MAX_VISITED || (visited % TIMED_ROWS === 0 && performance.now() >= until);
}
