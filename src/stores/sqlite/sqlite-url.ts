const PREFIX = 'sqlite:';
const IN_MEMORY = ':memory:';

/** The URLs of this engine: `sqlite:PATH` and `sqlite::memory:`. */
export const SQLITE_URLS = {
  form: 'sqlite:PATH',
  accepts: (url: string): boolean => url.startsWith(PREFIX) && url !== PREFIX,
};

/**
 * Returns the path in the URL; undefined for a database in memory.
 * @throws Error if it is not a URL of this engine
 */
export function parseSqliteUrl(url: string): string | undefined {
  if (!SQLITE_URLS.accepts(url)) throw new Error(`store.url must be sqlite:PATH or sqlite::memory:, not ${url}`);
  const place = url.slice(PREFIX.length);
  return place === IN_MEMORY ? undefined : place;
}
