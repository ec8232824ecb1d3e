import { existsSync } from 'node:fs';

const PREFIX = 'sqlite:';
const IN_MEMORY = ':memory:';

/** The URLs of this engine: `sqlite:PATH` and `sqlite::memory:`. */
export const SQLITE_URLS = {
  form: 'sqlite:PATH',
  accepts: (url: string): boolean => url.startsWith(PREFIX) && url !== PREFIX,
  findFault,
  isThere: (url: string): boolean => {
    const path = parseSqliteUrl(url);
    return path !== undefined && existsSync(path);
  },
};

/** Forms of other programs' URLs, which would silently name an unintended file. */
function findFault(url: string): string | undefined {
  const place = url.slice(PREFIX.length);
  if (place.startsWith('//')) return 'has no slashes after sqlite: (a path from the root is sqlite:/data/gateway.db)';
  if (place.startsWith('~')) return 'does not know ~: write the path of the folder';
  if (/[?#]/.test(place)) return 'takes no parameters after the path';
  if (place.startsWith(':') && place !== IN_MEMORY) return 'is neither a path nor sqlite::memory:';
  return undefined;
}

/**
 * Returns the path in the URL; undefined for a database in memory.
 * @throws Error if it is not a URL of this engine
 */
export function parseSqliteUrl(url: string): string | undefined {
  if (!SQLITE_URLS.accepts(url)) throw new Error(`store.url must be sqlite:PATH or sqlite::memory:, not ${url}`);
  const place = url.slice(PREFIX.length);
  return place === IN_MEMORY ? undefined : place;
}
