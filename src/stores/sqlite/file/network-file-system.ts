import { existsSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** File systems of other machines by the number that Linux gives their type (`statfs(2)`, `linux/magic.h`). */
const NETWORK_FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB2',
  0x65735546: 'FUSE',
  0x01021997: '9p',
};

/**
 * Returns the name of the network file system that holds a path, or would hold it once it is created; undefined for a
 * disk. FUSE counts as one: what is behind it is unknown.
 * @param readType returns the type of the file system of a folder that exists
 */
export function findNetworkFileSystem(
  path: string,
  readType: (folder: string) => number = (folder) => statfsSync(folder).type,
): string | undefined {
  if (process.platform !== 'linux') return undefined;
  let folder = dirname(resolve(path));
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  return NETWORK_FILE_SYSTEMS[readType(folder)];
}
