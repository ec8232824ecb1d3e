import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageInUseError, type NodeStorage } from './storage.js';

const SUFFIX = '.json';
const LOCK_FILE = 'lock';

/**
 * Keeps each value in a file of a folder that only its user can read. A file is complete under its name or not there, also
 * after a power failure. One program uses the folder at a time.
 */
export class FolderNodeStorage implements NodeStorage {
  readonly keepsKeys = false;
  #made: Promise<unknown> | undefined;

  constructor(readonly folder: string) {}

  async read(key: string): Promise<unknown> {
    return (await this.#readFile(nameOf(key)))?.value;
  }

  async write(key: string, value: unknown): Promise<void> {
    await this.#make();
    const path = join(this.folder, nameOf(key));
    const file = await open(`${path}.part`, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify({ key, value }));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.part`, path);
    await this.#syncFolder();
  }

  async remove(key: string): Promise<void> {
    await rm(join(this.folder, nameOf(key)), { force: true });
  }

  async list(prefix: string): Promise<readonly unknown[]> {
    const names = await readdir(this.folder).catch(() => []);
    const found: unknown[] = [];
    for (const name of names.filter((each) => each.endsWith(SUFFIX))) {
      const entry = await this.#readFile(name);
      if (entry?.key.startsWith(prefix)) found.push(entry.value);
    }
    return found;
  }

  /** It is a lock of the operating system, taken through SQLite: a crash leaves nothing to clean up. */
  async lock(): Promise<() => void> {
    await this.#make();
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(join(this.folder, LOCK_FILE), { timeout: 0 });
    try {
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE');
    } catch (error) {
      database.close();
      throw new StorageInUseError(`another program uses the folder ${this.folder}`, { cause: error });
    }
    return () => database.close();
  }

  #make(): Promise<unknown> {
    return (this.#made ??= mkdir(this.folder, { recursive: true, mode: 0o700 }));
  }

  async #readFile(name: string): Promise<{ readonly key: string; readonly value: unknown } | undefined> {
    const text = await readFile(join(this.folder, name), 'utf8').catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    });
    return text === undefined ? undefined : (JSON.parse(text) as { key: string; value: unknown });
  }

  /** Makes the new name durable. Windows has no such call for folders. */
  async #syncFolder(): Promise<void> {
    if (process.platform === 'win32') return;
    const folder = await open(this.folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

/** A hash, since a key may hold what a file system does not accept. */
function nameOf(key: string): string {
  return createHash('sha256').update(key).digest('hex') + SUFFIX;
}
