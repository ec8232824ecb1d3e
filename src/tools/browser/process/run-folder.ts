import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identify, isRunning, killGroup, type ProcessIdentity } from './process-identity.js';

const PREFIX = 'run-';
const IDENTITIES = 'processes.json';
/** A PDF is a download everywhere: the viewer of some builds shows nothing that can be read as a tree. */
const PREFERENCES = { plugins: { always_open_pdf_externally: true } };

/** The processes of a folder: the gateway that made it, and its browser once that has started. */
interface Processes {
  readonly gateway: ProcessIdentity;
  readonly browser?: ProcessIdentity;
}

/** The folder of one run of a browser: its profile, its temporary files and its downloads. It ends with the run. */
export class RunFolder {
  private constructor(readonly path: string) {}

  /** Makes a new folder below `root`. */
  static async make(root: string): Promise<RunFolder> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    await chmod(root, 0o700);
    const folder = new RunFolder(await mkdtemp(join(root, PREFIX)));
    for (const name of ['profile/Default', 'tmp', 'downloads'])
      await mkdir(join(folder.path, name), { recursive: true });
    await writeFile(join(folder.profile, 'Default', 'Preferences'), JSON.stringify(PREFERENCES));
    await folder.note();
    return folder;
  }

  get profile(): string {
    return join(this.path, 'profile');
  }

  get tmp(): string {
    return join(this.path, 'tmp');
  }

  get downloads(): string {
    return join(this.path, 'downloads');
  }

  /** Notes which processes the folder belongs to, for a start after a crash. */
  async note(browser?: ProcessIdentity): Promise<void> {
    const gateway = identify(process.pid) ?? { pid: process.pid, startedAt: '' };
    const file = join(this.path, IDENTITIES);
    await writeFile(`${file}.new`, JSON.stringify({ gateway, ...(browser && { browser }) }));
    await rename(`${file}.new`, file);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Kills browsers and removes folders that gateways left which have ended since. A browser of a gateway that still runs
 * stays.
 * @returns the number of folders
 */
export async function removeLeftovers(root: string): Promise<number> {
  const names = existsSync(root) ? (await readdir(root)).filter((name) => name.startsWith(PREFIX)) : [];
  const left = names.map((name) => join(root, name)).filter((folder) => !isUsed(folder));
  for (const folder of left) {
    const browser = readProcesses(folder)?.browser;
    if (browser) killGroup(browser);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
  return left.length;
}

function isUsed(folder: string): boolean {
  const gateway = readProcesses(folder)?.gateway;
  return gateway !== undefined && isRunning(gateway);
}

function readProcesses(folder: string): Processes | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, IDENTITIES), 'utf8')) as Processes;
  } catch {
    return undefined;
  }
}
