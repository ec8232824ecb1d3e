import {
  createReadStream,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { BackupCheck } from './cli/commands/backup-check.js';
import type { Environment } from './core/config/section.js';
import { DATABASE_FILE, MEDIA_FOLDER, type BackupManifest } from './core/housekeeping/backup-manifest.js';
import { openBackup } from './core/housekeeping/sealed-backup.js';
import type { TarReceiver } from './core/housekeeping/tar.js';
import { BLOB_KEY } from './core/media/blob.store.js';
import type { StoreCopy } from './core/store/index.js';
import { SystemClock } from './core/time/clock.js';
import { loadSettingsAndModules } from './settings.js';
import type { SettledCopy } from './stores/store-engine.js';
import { findMediaFolder, getStoreEngine } from './stores/store-engines.js';

/** The outcome of a restore. */
export interface RestoreReport {
  /** The path of the database. */
  readonly place: string;
  /** Where the database of before is. */
  readonly kept: string | undefined;
  /** When the backup was made, in Unix milliseconds. */
  readonly made_at: number;
  /** The work that was under way then, and is not sent again. */
  readonly settled: SettledCopy;
}

/**
 * Puts a backup back at the place that the settings name.
 * @param passphrase of a sealed one
 * @throws Error for the operator: in use by a gateway, incomplete, damaged, of a newer gateway
 */
export async function restoreBackup(
  environment: Environment,
  file: string,
  passphrase: string | undefined,
): Promise<RestoreReport> {
  const { settings } = await loadSettingsAndModules(environment, {});
  const url = settings.values['store.url'];
  const engine = getStoreEngine(url);
  const folder = findMediaFolder(settings.values['media.folder'], url);
  let manifest: BackupManifest | undefined;
  const { place, kept, settled } = await engine.restore(
    url,
    async (target) => void (manifest = await unpack(openBackup(createReadStream(file), passphrase), target, folder)),
    (copy) => manifest && compare(copy, manifest),
    new SystemClock().now(),
  );
  return { place, kept, made_at: manifest?.created_at ?? 0, settled };
}

/** Writes the files of a backup: its database to `target`, uploads to their places, which the old database does not mind. */
async function unpack(archive: AsyncIterable<Uint8Array>, target: string, folder: string): Promise<BackupManifest> {
  const unpacking = new Unpacking(target, folder);
  try {
    const check = new BackupCheck(unpacking);
    for await (const chunk of archive) check.read(chunk);
    return check.finish();
  } catch (error) {
    unpacking.abandon();
    throw error;
  }
}

class Unpacking implements TarReceiver {
  private path = '';
  private file: number | undefined;

  constructor(
    private readonly target: string,
    private readonly folder: string,
  ) {}

  begin(name: string): void {
    this.path = this.placeOf(name);
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    rmSync(`${this.path}.part`, { force: true });
    this.file = openSync(`${this.path}.part`, 'wx', 0o600);
  }

  private placeOf(name: string): string {
    if (name === DATABASE_FILE) return this.target;
    const key = name.startsWith(MEDIA_FOLDER) ? name.slice(MEDIA_FOLDER.length) : '';
    if (!BLOB_KEY.test(key)) throw new Error(`the backup has a file that no gateway writes: ${name}`);
    return join(this.folder, key.slice(2, 4), key);
  }

  take(chunk: Uint8Array): void {
    if (this.file !== undefined) for (let from = 0; from < chunk.length;) from += writeSync(this.file, chunk, from);
  }

  end(): void {
    if (this.file === undefined) return;
    fsyncSync(this.file);
    closeSync(this.file);
    this.file = undefined;
    // The bytes of an upload never change: one that is there is the same.
    if (this.path !== this.target && existsSync(this.path)) rmSync(`${this.path}.part`);
    else renameSync(`${this.path}.part`, this.path);
  }

  /** Removes the file that is being written: of a sealed backup it is no longer sealed. */
  abandon(): void {
    if (this.file === undefined) return;
    closeSync(this.file);
    this.file = undefined;
    rmSync(`${this.path}.part`, { force: true });
  }
}

/** @throws Error if a database is not the one that the manifest describes */
function compare(copy: StoreCopy, manifest: BackupManifest): void {
  const odd = Object.entries(manifest.counts).find(([table, rows]) => copy.counts[table] !== rows);
  if (odd)
    throw new Error(`the database in the backup has ${copy.counts[odd[0]] ?? 0} rows in ${odd[0]}, not ${odd[1]}`);
  if (copy.audit.sequence !== manifest.audit.entry || copy.audit.hash !== manifest.audit.hash)
    throw new Error('the audit trail in the backup does not end where its manifest says');
}
