import type { Json } from './records.js';

/** The tenant of rows about the whole gateway, such as its settings. */
export const ALL_TENANTS = '*';

/** An administrative change: who changed what. */
export interface AuditNote {
  /** Of the thing that was changed; {@link ALL_TENANTS} for what belongs to none. */
  readonly tenant: string;
  /** The principal that made the change; `gateway` for one that time made. */
  readonly actor: string;
  /** `RESOURCE.VERB`: `session.update`. */
  readonly action: string;
  /** The id of the thing that was changed. */
  readonly target: string;
  /** Only what has changed, and no secrets; `null` where there was nothing before. */
  readonly before: Json;
  readonly after: Json;
}

/** A row of the audit trail. */
export interface AuditRow extends AuditNote {
  /** Dense from 1, over all tenants. */
  readonly sequence: number;
  /** Unix milliseconds. */
  readonly at: number;
  /** The hash of the row before; {@link FIRST_PREVIOUS_HASH} for the first. */
  readonly previousHash: string;
  /** SHA-256, in hexadecimal, of all other fields as canonical JSON. */
  readonly hash: string;
}

export const FIRST_PREVIOUS_HASH = '0'.repeat(64);

/** The newest row, as the store remembers it apart from the rows. */
export interface AuditHead {
  /** 0 while there are no rows. */
  readonly sequence: number;
  readonly hash: string;
}

/** Which rows to list. A filter that is missing lets all pass. */
export interface AuditQuery {
  readonly tenant?: string;
  readonly actor?: string;
  readonly action?: string;
  /** Rows not older than this, in Unix milliseconds. */
  readonly from?: number;
  /** Rows older than this, in Unix milliseconds. */
  readonly to?: number;
  /** `newest` first for people, `oldest` first for verification and export. */
  readonly order: 'newest' | 'oldest';
  /** The sequence of the last row of the page before; the first page without it. */
  readonly after?: number;
  readonly limit: number;
}

/**
 * Reads the audit trail. Its rows are written by the changes themselves, each in the same commit: there is no method to
 * add, change or delete one. The rows of all tenants are one chain of hashes, which `verifyAuditChain` of `core/audit`
 * checks. All calls reject with GatewayError STORE_UNAVAILABLE when the store cannot answer.
 *
 * What an engine cannot promise: a program that can write to the database can also write a new chain of valid hashes. To notice
 * that, keep the head's hash in another place from time to time.
 */
export abstract class AuditStore {
  abstract listAudit(query: AuditQuery): Promise<readonly AuditRow[]>;

  abstract readAuditHead(): Promise<AuditHead>;
}
