import { access, constants, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { freeBytes } from '../../core/cache/free-bytes.js';
import { BLOB_KEY, InvalidBlobKeyError, type BlobStore } from '../../core/media/blob.store.js';
import { GatewayError } from '../../protocol/index.js';

/** Suffix of files that are not complete. */
const PART = '.part';

/** Stores blobs as files in a local folder, spread over subfolders by two characters of the key. */
export class FolderBlobs implements BlobStore {
  private folder: string | undefined;

  /** @param readFolder returns the folder; called at first use, when changes of earlier runs are in force */
  constructor(private readonly readFolder: () => string) {}

  /** Checks that the folder can be written to, or created. @throws GatewayError STORE_UNAVAILABLE */
  async check(): Promise<void> {
    for (let folder = this.root; ; folder = dirname(folder)) {
      if (await absent(access(folder, constants.W_OK | constants.X_OK).then(() => true))) return;
    }
  }

  /** The absolute path of the folder. */
  get path(): string {
    return this.root;
  }

  async put(key: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    const path = this.pathOf(key);
    // Renamed when complete, so a crash leaves no partial file under the final name.
    const unfinished = `${path}${PART}`;
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await write(unfinished, body);
      await rename(unfinished, path);
      await syncFolder(dirname(path));
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => {});
      throw explain(error);
    }
  }

  async get(key: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const file = await absent(open(this.pathOf(key)));
    return file?.createReadStream();
  }

  async exists(key: string): Promise<boolean> {
    return (await absent(stat(this.pathOf(key)))) !== undefined;
  }

  async remove(key: string): Promise<void> {
    await rm(this.pathOf(key), { force: true }).catch((error: unknown) => {
      throw explain(error);
    });
  }

  async *list(storedBefore: number): AsyncIterable<string> {
    for (const folder of await namesIn(this.root)) {
      for (const name of await namesIn(join(this.root, folder))) {
        const path = join(this.root, folder, name);
        const file = await absent(stat(path));
        if (!file?.isFile() || file.mtimeMs >= storedBefore) continue;
        if (name.endsWith(PART)) await rm(path, { force: true });
        else if (BLOB_KEY.test(name)) yield name;
      }
    }
  }

  private get root(): string {
    return (this.folder ??= resolve(this.readFolder()));
  }

  private pathOf(key: string): string {
    if (!BLOB_KEY.test(key)) throw new InvalidBlobKeyError(key);
    return join(this.root, key.slice(2, 4), key);
  }
}

/** Returns the names in a folder; none if it is not a folder. */
async function namesIn(path: string): Promise<readonly string[]> {
  return readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw explain(error);
  });
}

async function write(path: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    for await (const chunk of body) {
      await file.write(chunk);
      freeBytes(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a new file name in a folder durable. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Resolves with undefined if the file does not exist. */
async function absent<T>(file: Promise<T>): Promise<T | undefined> {
  try {
    return await file;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw explain(error);
  }
}

/** Errors of the disk or of the folder's place, which an operator can repair: full, read-only, not accessible, broken. */
const REPAIRABLE = new Set(['ENOSPC', 'EROFS', 'EDQUOT', 'EIO', 'EACCES', 'EPERM', 'ENOTDIR']);

/** Maps such an error to STORE_UNAVAILABLE, so that callers retry later. */
function explain(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code !== undefined && REPAIRABLE.has(code)
    ? new GatewayError('STORE_UNAVAILABLE', {}, { cause: error })
    : error;
}
