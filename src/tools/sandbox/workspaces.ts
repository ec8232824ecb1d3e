import type { Stats } from 'node:fs';
import { chmod, chown, lstat, mkdir, opendir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Session } from '../../core/store/index.js';
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

/**
 * The folders that commands may write to, one for each session. The gateway itself only makes and measures them: what is
 * inside is made by commands, so nothing in it is opened, and no link in it followed, outside a sandbox.
 */
export class Workspaces {
  readonly root: string;

  constructor(root: string) {
    this.root = resolve(root);
  }

  /** The folder of a session, made when it is not there. */
  async open(session: Pick<Session, 'id'>): Promise<string> {
    if (!/^[A-Za-z0-9_-]{1,128}$/.test(session.id))
      throw new Error(`the session "${session.id}" cannot have a workspace: its id is no file name`);
    await mkdir(this.root, { recursive: true, mode: 0o700 });
    // Nobody else on this machine gets through here, so that what is behind may be open to the sandbox's user.
    await chmod(this.root, 0o700);
    const folder = join(this.root, session.id);
    await mkdir(folder, { recursive: true });
    await giveToSandbox(folder);
    return folder;
  }

  /** How much is in a workspace. */
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

/** Commands delete files while they are counted. */
function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}
