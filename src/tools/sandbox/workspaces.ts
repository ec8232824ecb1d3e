import type { Stats } from 'node:fs';
import { chmod, chown, lstat, mkdir, opendir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ResourceKind } from '../../core/sessions/session-resources.js';
import { SANDBOX_UID } from './sandbox-engine.js';

/** What `Stats.blocks` counts in. */
const BLOCK_BYTES = 512;
/** A workspace with more files than this is taken for full: to count them costs too much. */
const MAX_ENTRIES = 50_000;

/** How much a workspace holds. Infinite where it cannot be told. */
export interface WorkspaceSize {
  readonly bytes: number;
  /** Why it is infinite. */
  readonly reason?: string;
}

/** Opens what commands have closed in a workspace, and deletes it. Runs in the sandbox. */
export const EMPTY_WORKSPACE = 'chmod -R u+rwx . ; rm -rf ./* ./.[!.]* ./..?*';
/** Session ids that may be the name of a folder. */
const FOLDER_NAME = /^[A-Za-z0-9_-]{1,128}$/;
/** Folders that are taken for workspaces when sessions end. Others in the same place are left alone. */
const SESSION_FOLDER = /^s_[A-Za-z0-9_-]{1,126}$/;

/**
 * The folders that commands may write to, one for each session, which keep their files until the session ends. The gateway
 * itself only makes, measures and removes them: what is inside is made by commands, so nothing in it is opened, and no link
 * in it followed, outside a sandbox.
 */
export class Workspaces implements ResourceKind<string> {
  readonly name = 'workspace';
  readonly root: string;
  readonly durable = { list: () => this.list(), remove: (sessionId: string) => this.remove(sessionId) };

  /** @param empty removes what is in a workspace from inside a sandbox, where the gateway itself has no right to */
  constructor(
    root: string,
    private readonly empty: (folder: string) => Promise<void>,
  ) {
    this.root = resolve(root);
  }

  /** Returns the folder of a session, which it creates if it does not exist. */
  async open(sessionId: string): Promise<string> {
    if (!FOLDER_NAME.test(sessionId))
      throw new Error(`the session "${sessionId}" cannot have a workspace: its id is no file name`);
    await mkdir(this.root, { recursive: true, mode: 0o700 });
    // Nobody else on this machine gets through here, so that what is behind may be open to the sandbox's user.
    await chmod(this.root, 0o700);
    const folder = join(this.root, sessionId);
    await mkdir(folder, { recursive: true });
    await giveToSandbox(folder);
    return folder;
  }

  private async list(): Promise<readonly string[]> {
    try {
      const entries = await readdir(this.root, { withFileTypes: true });
      return entries.filter((entry) => entry.isDirectory() && SESSION_FOLDER.test(entry.name)).map(({ name }) => name);
    } catch (error) {
      if (isGone(error)) return [];
      throw error;
    }
  }

  private async remove(sessionId: string): Promise<void> {
    const folder = join(this.root, sessionId);
    try {
      await this.deleteTree(folder);
    } catch (error) {
      // A command made a folder that only the sandbox's user may enter, or closed it.
      if (!isDenied(error)) throw error;
      await this.empty(folder);
      await this.deleteTree(folder);
    }
  }

  protected async deleteTree(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true });
  }

  /** Returns how much is in a workspace. */
  async measure(folder: string): Promise<WorkspaceSize> {
    const sum = { bytes: 0, entries: 0 };
    const waiting = [folder];
    try {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        for await (const entry of await opendir(next)) {
          if (++sum.entries > MAX_ENTRIES)
            return { bytes: Infinity, reason: `it holds more than ${MAX_ENTRIES} files` };
          sum.bytes += await measureEntry(join(next, entry.name));
          if (entry.isDirectory()) waiting.push(join(next, entry.name));
        }
      }
    } catch (error) {
      if (isGone(error)) return { bytes: sum.bytes };
      return {
        bytes: Infinity,
        reason: `it cannot be measured (${(error as Error).message}); open what is closed with chmod`,
      };
    }
    return { bytes: sum.bytes };
  }
}

/** Root gives the folder away; another user cannot, and opens it. Each time, since a command may close it. */
async function giveToSandbox(folder: string): Promise<void> {
  if (process.getuid?.() === 0) await chown(folder, SANDBOX_UID, SANDBOX_UID);
  await chmod(folder, process.getuid?.() === 0 ? 0o700 : 0o777);
}

async function measureEntry(path: string): Promise<number> {
  try {
    const { blocks }: Stats = await lstat(path);
    return blocks * BLOCK_BYTES;
  } catch (error) {
    if (isGone(error)) return 0;
    throw error;
  }
}

function isDenied(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Commands delete files while they are counted. */
function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}
