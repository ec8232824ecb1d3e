import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { digest } from './digest.js';

const TOKEN_BYTES = 32;

/** Where the file of a local token is. */
export interface LocalTokenPlace {
  readonly path: string;
  /** False where it is beside no store, in a folder that several gateways may have. */
  readonly isOwn: boolean;
}

/**
 * The credential that a gateway in open mode makes for itself at each start. Who may read the gateway's files may
 * administer it; who reaches its port may not.
 */
export class LocalToken {
  readonly value = randomBytes(TOKEN_BYTES).toString('base64url');
  private readonly digest = Buffer.from(digest(this.value));

  /** @param findPlace returns where its file is; called at the start, when the settings are known */
  constructor(private readonly findPlace: () => LocalTokenPlace) {}

  get path(): string {
    return this.findPlace().path;
  }

  /** Compares in constant time. */
  matches(token: string): boolean {
    return timingSafeEqual(this.digest, Buffer.from(digest(token)));
  }

  /**
   * Writes the file, which only the gateway's own user can read, in place of an older one.
   * @throws SystemError, EEXIST if the older one may be of a gateway that runs
   */
  async write(): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true });
    // Removed first: the mode of a file counts when it is made, and a link would lead elsewhere.
    await this.removeOlder();
    await writeFile(this.path, `${this.value}\n`, { mode: 0o600, flag: 'wx' });
  }

  /** Removes the file unless it is of another process by now. */
  async remove(): Promise<void> {
    const text = await readFile(this.path, 'utf8').catch(() => '');
    if (text.trim() === this.value) await rm(this.path, { force: true });
  }

  /** Removes the file that a killed process left, unless it may be of a gateway that runs. @throws SystemError */
  async removeOlder(): Promise<void> {
    const { path, isOwn } = this.findPlace();
    if (isOwn) await rm(path, { force: true });
  }
}
