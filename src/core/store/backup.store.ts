import type { AuditHead } from './audit.store.js';

/** A consistent copy of a store, for a backup. */
export interface StoreCopy {
  readonly schemaVersion: number;
  /** The random name of the start that wrote last. */
  readonly logEpoch: string;
  /** The number of rows of each table. */
  readonly counts: Readonly<Record<string, number>>;
  readonly audit: AuditHead;
  readonly media: readonly { readonly mediaId: string; readonly sizeBytes: number }[];
}

/** A copy in a file of its own. The caller removes it. */
export interface StoreCopyFile extends StoreCopy {
  readonly path: string;
  readonly sizeBytes: number;
  remove(): Promise<void>;
}

/** Makes copies of the store while it is in use. */
export abstract class BackupStore {
  /**
   * Copies what is committed, and checks the copy. Writes go on meanwhile and are not in it.
   * @param signal ends it, and nothing of the copy stays
   * @throws GatewayError FORBIDDEN when this store has no copies, or there is no room for one; STORE_UNAVAILABLE
   */
  abstract copy(signal?: AbortSignal): Promise<StoreCopyFile>;
}
