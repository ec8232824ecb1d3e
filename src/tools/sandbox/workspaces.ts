import { existsSync, type Stats } from 'node:fs';
import { chmod, chown, lstat, mkdir, opendir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ResourceKind } from '../../core/sessions/session-resources.js';
import { SANDBOX_UID, SandboxUnavailableError } from './sandbox-engine.js';

/** Unit of `Stats.blocks`, in bytes. */
const BLOCK_BYTES = 512;
/** Number of files from which a workspace counts as full, because counting more costs too much. */
const MAX_ENTRIES = 50_000;

/** The size of a workspace; infinite if it cannot be measured. */
export interface WorkspaceSize {
  readonly bytes: number;
  /** Why it is infinite. */
  readonly reason?: string;
}

/** Restores permissions that commands removed in a workspace, and deletes its content. Runs in the sandbox. */
export const EMPTY_WORKSPACE = 'chmod -R u+rwx . ; rm -rf ./* ./.[!.]* ./..?*';
/** Session ids that are valid folder names. */
const FOLDER_NAME = /^[A-Za-z0-9_-]{1,128}$/;
/** Folders that are treated as workspaces when sessions end. Others are left alone. */
const SESSION_FOLDER = /^s_[A-Za-z0-9_-]{1,126}$/;

/**
 * The folders that commands may write to, one for each session, which keep their files until the session ends, and those
 * that all sessions of an agent share. The
 * gateway itself only creates, measures and removes them. Because commands made their content, nothing in them is
 * opened and no link is followed outside a sandbox.
 */
export class Workspaces implements ResourceKind<string> {
  readonly name = 'workspace';
  readonly root: string;
  readonly durable = { list: () => this.list(), remove: (sessionId: string) => this.remove(sessionId) };

  /**
   * @param empty deletes the content of a workspace from inside a sandbox, if the gateway itself has no right to
   * @param maxWorkspaces the number from which no other one is created
   */
  constructor(
    root: string,
    private readonly empty: (folder: string) => Promise<void>,
    private readonly maxWorkspaces: () => number = () => Infinity,
  ) {
    this.root = resolve(root);
  }

  /** Returns the folder of a session; creates it if it does not exist. @throws SandboxUnavailableError for one too many */
  async open(sessionId: string): Promise<string> {
    if (!FOLDER_NAME.test(sessionId))
      throw new Error(`the session "${sessionId}" cannot have a workspace: its id is not a valid folder name`);
    await mkdir(this.root, { recursive: true, mode: 0o700 });
    // Closed to other users of this machine, so that the folders inside may be open to the sandbox's user.
    await chmod(this.root, 0o700);
    const folder = join(this.root, sessionId);
    if (!existsSync(folder)) await this.checkRoom();
    await mkdir(folder, { recursive: true });
    await giveToSandbox(folder);
    return folder;
  }

  private async checkRoom(): Promise<void> {
    const max = this.maxWorkspaces();
    if ((await this.list()).length < max) return;
    throw new SandboxUnavailableError(
      `there are ${max} workspaces already (tools.sandbox.max_workspaces); they are deleted with their sessions`,
    );
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
    // The workspace of an agent ends with no session.
    if (!SESSION_FOLDER.test(sessionId)) return;
    const folder = join(this.root, sessionId);
    try {
      await this.deleteTree(folder);
    } catch (error) {
      // A command made a folder that only the sandbox's user may enter.
      if (!isDenied(error)) throw error;
      await this.empty(folder);
      await this.deleteTree(folder);
    }
  }

  protected async deleteTree(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true });
  }

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
        reason: `it cannot be measured (${(error as Error).message}); restore the permissions with chmod`,
      };
    }
    return { bytes: sum.bytes };
  }
}

/**
 * Gives the sandbox's user access to a folder: root changes the owner, another user opens the permissions. Repeated for
 * each command, because a command may close it.
 */
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

/** A command may delete files while they are counted. */
function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}
