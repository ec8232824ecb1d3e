import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import type { StoreCopy, StoreCopyFile } from '../../../core/store/index.js';
import { GatewayError } from '../../../protocol/index.js';
import { copyDatabase } from './copy-database.js';

/** Room that is left beside a copy, in bytes. */
const SPARE_BYTES = 67_108_864;

/**
 * Makes a copy of a database in use beside it, in a process of its own: a copy takes as long as the file is large.
 * @throws GatewayError FORBIDDEN, STORE_UNAVAILABLE
 */
export async function makeCopy(path: string): Promise<StoreCopyFile> {
  await checkRoom(path);
  const target = `${path}.backup-${randomBytes(4).toString('hex')}`;
  const remove = () => rm(target, { force: true });
  try {
    const copy = import.meta.url.endsWith('.ts') ? copyDatabase(path, target) : await copyOutside(path, target);
    return { ...copy, path: target, sizeBytes: (await stat(target)).size, remove };
  } catch (error) {
    await remove();
    throw new GatewayError('STORE_UNAVAILABLE', {}, { cause: error });
  }
}

async function copyOutside(path: string, target: string): Promise<StoreCopy> {
  const script = fileURLToPath(new URL('./sqlite.check.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, path, target], { maxBuffer: Infinity });
  return JSON.parse(stdout) as StoreCopy;
}

async function checkRoom(path: string): Promise<void> {
  const log = await stat(`${path}-wal`).catch(() => ({ size: 0 }));
  const needed = (await stat(path)).size + log.size + SPARE_BYTES;
  const { bavail, bsize } = await statfs(dirname(path));
  if (bavail * bsize >= needed) return;
  const reason = `a copy needs ${needed} bytes beside the store, and ${bavail * bsize} are free`;
  throw new GatewayError('FORBIDDEN', { reason });
}
