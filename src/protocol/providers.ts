/** The rules for providers of models that both the command line and the web chat apply before the gateway does. */

/** Matches the address of an API: no credentials, no query, no fragment. */
export const BASE_URL = /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/;

/** Returns `name`, with a number if it is taken: servers of one kind need different names. */
export function findFreeName(name: string, isTaken: (name: string) => boolean): string {
  let free = name;
  for (let n = 2; isTaken(free); n++) free = `${name}-${n}`;
  return free;
}
