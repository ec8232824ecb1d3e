/** The names of the files in a backup. The manifest is the last one. */
export const DATABASE_FILE = 'gateway.db';
export const MEDIA_FOLDER = 'media/';
export const MANIFEST_FILE = 'manifest.json';

/** The contents of a backup, for its check. */
export interface BackupManifest {
  readonly format: 1;
  /** The version of the gateway that made it. */
  readonly gateway: string;
  /** Unix milliseconds. */
  readonly created_at: number;
  readonly schema_version: number;
  readonly log_epoch: string;
  /** The number of rows of each table. */
  readonly counts: Readonly<Record<string, number>>;
  readonly audit: { readonly entry: number; readonly hash: string };
  readonly files: readonly { readonly name: string; readonly size: number; readonly sha256: string }[];
  /** Uploads whose bytes were gone already. */
  readonly missing: readonly string[];
}
