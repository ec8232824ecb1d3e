import { randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { digest } from './auth.settings.js';

const TOKEN_BYTES = 32;

/**
 * The credential that a gateway in open mode makes for itself at each start. Who may read the gateway's files may
 * administer it; who reaches its port may not.
 */
export class LocalToken {
  readonly value = randomBytes(TOKEN_BYTES).toString('base64url');
  private readonly digest = Buffer.from(digest(this.value));

  /** @param findPath returns the path of its file; called at the start, when the settings are known */
  constructor(private readonly findPath: () => string) {}

  get path(): string {
    return this.findPath();
  }

  /** Compares in constant time. */
  matches(token: string): boolean {
    return timingSafeEqual(this.digest, Buffer.from(digest(token)));
  }

  /** Writes the file, which only the gateway's own user can read, in place of an older one. @throws SystemError */
  async write(): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true });
    // Removed first: the mode of a file counts when it is made, and a link would lead elsewhere.
    await this.removeFile();
    await writeFile(this.path, `${this.value}\n`, { mode: 0o600, flag: 'wx' });
  }

  /** Removes the file unless it is of another process by now. */
  async remove(): Promise<void> {
    const text = await readFile(this.path, 'utf8').catch(() => '');
    if (text.trim() === this.value) await this.removeFile();
  }

  /** Removes the file that a killed process left. @throws SystemError */
  async removeFile(): Promise<void> {
    await rm(this.path, { force: true });
  }
}
