/** The record of an uploaded file. Its bytes are in the `BlobStore`. */
export interface MediaRecord {
  readonly mediaId: string;
  readonly tenant: string;
  /** The uploader. */
  readonly principal: string;
  /** The session of the message that names the file; absent until there is one. */
  readonly sessionId?: string;
  /** Detected from the content, not taken from the uploader. */
  readonly mimeType: string;
  readonly sizeBytes: number;
  readonly createdAt: number;
}

/** The bytes that one principal may upload in a period. */
export interface UploadQuota {
  /** Unix milliseconds. */
  readonly since: number;
  readonly maxBytes: number;
}

/** The uploads of one principal in a period. */
export interface UploadSum {
  readonly bytes: number;
  /** Unix milliseconds of the oldest one; undefined when there is none. */
  readonly oldestAt: number | undefined;
}

/**
 * Stores the records of uploaded files. Calls reject with GatewayError STORE_UNAVAILABLE when the store cannot answer.
 */
export abstract class MediaStore {
  /**
   * Adds the record of an upload. Resolves with false, and adds nothing, if the uploads of its principal since
   * `quota.since` would exceed `quota.maxBytes`.
   */
  abstract addMedia(record: MediaRecord, quota: UploadQuota): Promise<boolean>;

  /** Sums the uploads of a principal since a time, in Unix milliseconds. */
  abstract sumUploads(tenant: string, principal: string, since: number): Promise<UploadSum>;

  /** Returns those of `mediaIds` that have no record. */
  abstract listUnknownMedia(mediaIds: readonly string[]): Promise<readonly string[]>;

  abstract findMedia(tenant: string, mediaId: string): Promise<MediaRecord | undefined>;

  /** Assigns files to the session of the message that names them. A file that has a session keeps it. */
  abstract assignMedia(mediaIds: readonly string[], sessionId: string): Promise<void>;

  /**
   * Lists some files that may be deleted: those whose session is gone, and those uploaded before `unclaimedBefore` that
   * have none. A call visits a part of the files; the next ones continue.
   */
  abstract listExpiredMedia(unclaimedBefore: number): Promise<readonly string[]>;

  /** Deletes the records of files whose blobs are deleted. */
  abstract forgetMedia(mediaIds: readonly string[]): Promise<void>;
}
