/** A view of the console, as its address names it. An address holds no token and no text that a person has typed. */
export interface Place {
  /** The name of the page, the first segment of the path; empty for the overview. */
  readonly page: string;
  /** The segments behind it, decoded: the id of the thing that is shown. */
  readonly ids: readonly string[];
  /** The filters, named as in the API. */
  readonly filters: Readonly<Record<string, string>>;
  /** The fragment of the address, such as the ref of a turn. */
  readonly fragment: string;
}

/** A place, as far as it is not the overview without filters. */
export type PlaceParts = Partial<Place>;

/** No id and no filter is longer. */
const MAX_LENGTH = 1_024;

/**
 * Reads the place of an address.
 * @param base the path of the console, without a slash at its end
 */
export function readPlace(base: string, { pathname, search, hash }: Pick<URL, 'pathname' | 'search' | 'hash'>): Place {
  const [page = '', ...ids] = pathname
    .slice(base.length)
    .split('/')
    .filter((segment) => segment !== '')
    .map(decode);
  const filters = Object.fromEntries(
    [...new URLSearchParams(search)].filter(([, value]) => value.length <= MAX_LENGTH),
  );
  return { page, ids, filters, fragment: decode(hash.slice(1)) };
}

/** Returns the address of a place, for `href`. */
export function writePlace(base: string, { page = '', ids = [], filters = {}, fragment = '' }: PlaceParts): string {
  const path = [page, ...ids]
    .filter((segment) => segment !== '')
    .map((segment) => `/${encodeURIComponent(segment)}`)
    .join('');
  const values = new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== ''));
  return `${base}${path}${values.size === 0 ? '' : `?${values}`}${fragment === '' ? '' : `#${encodeURIComponent(fragment)}`}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
