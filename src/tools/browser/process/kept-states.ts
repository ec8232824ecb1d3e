import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeptState, StateKeeper } from '../page/session-browser.js';

const SUFFIX = '.json';
/** Session ids that are valid file names. */
const FILE_NAME = /^[A-Za-z0-9_-]{1,128}$/;

/** The cookies and storage of sessions as files that only this user can read (`tools.browser.persist`). */
export class KeptStates implements StateKeeper {
  /**
   * @param folder called at use
   * @param isOn whether states are kept
   */
  constructor(
    private readonly folder: () => string,
    private readonly isOn: () => boolean,
  ) {}

  async load(sessionId: string): Promise<KeptState | undefined> {
    const path = this.pathOf(sessionId);
    if (!this.isOn() || path === undefined || !existsSync(path)) return undefined;
    try {
      return JSON.parse(await readFile(path, 'utf8')) as KeptState;
    } catch {
      // A damaged file must not keep the session from the web: it signs in again.
      return undefined;
    }
  }

  async save(sessionId: string, state: unknown): Promise<void> {
    const path = this.pathOf(sessionId);
    if (!this.isOn() || path === undefined) return;
    await mkdir(this.folder(), { recursive: true, mode: 0o700 });
    await writeFile(`${path}.new`, JSON.stringify(state), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  /** Returns the ids of all sessions that have a state. */
  async list(): Promise<readonly string[]> {
    const folder = this.folder();
    const names = existsSync(folder) ? await readdir(folder) : [];
    return names.filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
  }

  async remove(sessionId: string): Promise<void> {
    const path = this.pathOf(sessionId);
    if (path !== undefined) await rm(path, { force: true });
  }

  private pathOf(sessionId: string): string | undefined {
    return FILE_NAME.test(sessionId) ? join(this.folder(), `${sessionId}${SUFFIX}`) : undefined;
  }
}
