import { lstatSync, readFileSync, realpathSync, type Stats } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** The file in which Linux lists its mounts. */
const MOUNTS = '/proc/self/mountinfo';

/**
 * Returns the one path of a database file, which need not exist yet: its lock and its log lie beside it, so that two
 * gateways must not know one file by two names.
 * @throws Error for the operator when the file has, or may have, another name
 */
export function findRealFile(path: string): string {
  const place = join(realpathSync(dirname(resolve(path))), basename(path));
  const entry = lstatSync(place, { throwIfNoEntry: false });
  if (entry === undefined) return place;
  const file = entry.isSymbolicLink() ? follow(place) : place;
  checkFile(file, lstatSync(file));
  return file;
}

function follow(link: string): string {
  try {
    return realpathSync(link);
  } catch (error) {
    throw new Error(`the database ${link} is a link to a file that does not exist: set store.url to the file`, {
      cause: error,
    });
  }
}

function checkFile(file: string, stats: Stats): void {
  if (stats.isDirectory()) return;
  if (!stats.isFile()) throw new Error(`the database ${file} is not a file: set store.url to another place`);
  if (stats.nlink > 1)
    throw new Error(`the database ${file} has ${stats.nlink} names (hard links), of which only one is locked: copy it`);
  if (isMountPoint(file))
    throw new Error(`the database ${file} is mounted alone, without the files beside it: mount its folder instead`);
}

function isMountPoint(file: string): boolean {
  try {
    return readFileSync(MOUNTS, 'utf8')
      .split('\n')
      .some((line) => line.split(' ')[4]?.replaceAll('\\040', ' ') === file);
  } catch {
    return false;
  }
}
