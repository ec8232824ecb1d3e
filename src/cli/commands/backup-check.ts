import { createHash, type Hash } from 'node:crypto';
import { MANIFEST_FILE, type BackupManifest } from '../../core/housekeeping/backup-manifest.js';
import { TarReader, type TarReceiver } from '../../core/housekeeping/tar.js';

const MAX_MANIFEST_LENGTH = 1_073_741_824;

/** Reads a backup and checks it against its manifest. `files` also gets the files, for example to save them. */
export class BackupCheck implements TarReceiver {
  private readonly reader = new TarReader(this);
  private readonly seen: BackupManifest['files'][number][] = [];
  private readonly manifestChunks: Buffer[] = [];
  private current: { readonly name: string; readonly size: number; readonly digest: Hash } | undefined;

  constructor(private readonly files?: TarReceiver) {}

  read(chunk: Uint8Array): void {
    this.reader.take(chunk);
  }

  begin(name: string, size: number): void {
    if (name === MANIFEST_FILE && size > MAX_MANIFEST_LENGTH)
      throw new Error('the manifest of the backup is too large');
    this.current = { name, size, digest: createHash('sha256') };
    if (name !== MANIFEST_FILE) this.files?.begin(name, size);
  }

  take(chunk: Uint8Array): void {
    this.current?.digest.update(chunk);
    if (this.current?.name === MANIFEST_FILE) this.manifestChunks.push(Buffer.from(chunk));
    else this.files?.take(chunk);
  }

  end(): void {
    if (!this.current) return;
    const { name, size, digest } = this.current;
    if (name === MANIFEST_FILE) return;
    this.seen.push({ name, size, sha256: digest.digest('hex') });
    this.files?.end();
  }

  /** Returns the manifest. @throws Error if the backup is incomplete or was changed */
  finish(): BackupManifest {
    if (!this.reader.isEnded || this.manifestChunks.length === 0)
      throw new Error('the backup is incomplete: its end is missing');
    const manifest = JSON.parse(Buffer.concat(this.manifestChunks).toString()) as BackupManifest;
    if (typeof manifest.format !== 'number') throw new Error('the backup is damaged: its manifest names no format');
    if (manifest.format !== 1) throw new Error('the backup has a format of a newer gateway');
    const odd = manifest.files.find(({ name, size, sha256 }, n) => {
      const seen = this.seen[n];
      return seen?.name !== name || seen.size !== size || seen.sha256 !== sha256;
    });
    if (odd || this.seen.length !== manifest.files.length)
      throw new Error(`the backup is damaged: ${odd?.name ?? 'a file'} is not what its manifest says`);
    return manifest;
  }
}
