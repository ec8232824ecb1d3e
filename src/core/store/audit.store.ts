import type { AuditPerson, Json } from './records.js';

/** An administrative change: who changed what. It has no text of messages, and names people by `person` only. */
export interface AuditNote {
  /** The tenant of the changed resource; `ALL_TENANTS` if it belongs to none. */
  readonly tenant: string;
  /** The principal that made the change; `gateway` if it happened automatically. */
  readonly actor: string;
  /** `RESOURCE.VERB`, for example `session.update`. */
  readonly action: string;
  /** The id of the changed resource. */
  readonly target: string;
  /** Only the changed fields, without secrets; `null` if there was nothing before. */
  readonly before: Json;
  readonly after: Json;
  /** The person whom the change is about, or who made it. */
  readonly person?: AuditPerson | undefined;
}

/** A row of the audit trail as it is stored and hashed. */
export interface ChainedRow {
  /** Dense from 1 across all tenants. */
  readonly sequence: number;
  /** The JSON text of the change, stored as it was hashed. */
  readonly body: string;
  /** The hash of the previous row; {@link FIRST_PREVIOUS_HASH} for the first. */
  readonly previousHash: string;
  /** SHA-256, in hexadecimal, of previous hash, sequence and body, each on a line of its own. */
  readonly hash: string;
}

/** A row of the audit trail with what its body says. */
export interface AuditRow extends ChainedRow, Omit<AuditNote, 'person'> {
  /** Unix milliseconds. */
  readonly at: number;
  /** The ID of the person. */
  readonly subject?: string | undefined;
  /** Undefined once the person has been erased. */
  readonly person?: AuditPerson | undefined;
}

export const FIRST_PREVIOUS_HASH = '0'.repeat(64);

/** The newest row's sequence and hash, stored separately from the rows. */
export interface AuditHead {
  /** 0 while there are no rows. */
  readonly sequence: number;
  readonly hash: string;
}

/** Selects rows to list. An absent filter matches all rows. */
export interface AuditQuery {
  readonly tenant?: string;
  readonly actor?: string;
  readonly action?: string;
  /** Inclusive lower bound of `at`, in Unix milliseconds. */
  readonly from?: number;
  /** Exclusive upper bound of `at`, in Unix milliseconds. */
  readonly to?: number;
  /** `newest` first for people, `oldest` first for verification and export. */
  readonly order: 'newest' | 'oldest';
  /** The sequence of the last row of the previous page; absent for the first page. */
  readonly after?: number;
  readonly limit: number;
}

/**
 * Reads the audit trail. Each administrative change writes its row in the same commit, so there is no method to add,
 * change or delete rows. The rows of all tenants form one hash chain, which `verifyAuditTrail` of `core/audit` checks.
 * All calls reject with GatewayError STORE_UNAVAILABLE when the store cannot answer.
 *
 * A program that can write to the database can also write a new chain with valid hashes. To detect that, regularly
 * store the head's hash in another place.
 */
export abstract class AuditStore {
  /** Adds a row for an event that changes nothing else in the store. */
  abstract recordAudit(note: AuditNote): Promise<void>;

  abstract listAudit(query: AuditQuery): Promise<readonly AuditRow[]>;

  /** Returns rows for verification, oldest first, from the one after `after`. */
  abstract readAuditChain(after: number, limit: number): Promise<readonly ChainedRow[]>;

  /**
   * Forgets whom an ID in the trail means, and adds the row that says so. Rows stay as they are. Resolves with false if no
   * row is about the person.
   */
  abstract eraseAuditPerson(person: AuditPerson, actor: string): Promise<boolean>;

  abstract readAuditHead(): Promise<AuditHead>;
}
