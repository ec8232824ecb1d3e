/** The addresses of the rows of the list that was left last, in their order. */
let trail: readonly string[] = [];

/** Keeps the addresses of the rows of a list that is left: the keys `[` and `]` lead from one to the next. */
export function leaveTrail(addresses: readonly string[]): void {
  if (addresses.length > 0) trail = addresses;
}

/**
 * Returns the address of the row after or before the thing that is shown; undefined if it is the last or first one, or not of
 * that list.
 * @param pathname of the thing
 */
export function findNeighbour(pathname: string, by: 1 | -1): string | undefined {
  const at = trail.findIndex((address) => new URL(address, 'https://console').pathname === pathname);
  return at === -1 ? undefined : trail[at + by];
}
