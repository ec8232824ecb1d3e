import { resolve } from 'node:path';

const PREFIX = 'sqlite:';
const IN_MEMORY = ':memory:';

/** Folders of the kernel's own file systems. `/dev/shm` is one in memory, which tests use. */
const NOT_DISKS = /^\/(proc|sys|dev(?!\/shm\/))(\/|$)/;

/** Returns whether a URL is one of this engine. */
export function isSqliteUrl(url: string): boolean {
  return url.startsWith(PREFIX) && url !== PREFIX;
}

/** Returns the fault of a URL in words for the operator. Forms of other programs would name an unintended file. */
export function findSqliteUrlFault(url: string): string | undefined {
  const place = url.slice(PREFIX.length);
  if (place.startsWith('//')) return 'has no slashes after sqlite: (a path from the root is sqlite:/data/gateway.db)';
  if (place.startsWith('~')) return 'does not know ~: write the path of the folder';
  if (/[?#]/.test(place)) return 'takes no parameters after the path';
  if (NOT_DISKS.test(resolve(place))) return 'must not be below /proc, /sys or /dev, which are not on a disk';
  if (place.startsWith(':') && place !== IN_MEMORY) return 'is neither a path nor sqlite::memory:';
  return undefined;
}

/**
 * Returns the path in the URL; undefined for a database in memory.
 * @throws Error if it is not a URL of this engine
 */
export function parseSqliteUrl(url: string): string | undefined {
  if (!isSqliteUrl(url)) throw new Error(`store.url must be sqlite:PATH or sqlite::memory:, not ${url}`);
  const place = url.slice(PREFIX.length);
  return place === IN_MEMORY ? undefined : place;
}
