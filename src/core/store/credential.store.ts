import type { Role, Scope } from '../../protocol/domain.js';

/** A token that was made at run time. The token itself is not stored. */
export interface TokenRecord {
  /** Sorts by the time of its making. */
  readonly id: string;
  readonly tenant: string;
  readonly principal: string;
  readonly role: Role;
  readonly scopes: readonly Scope[];
  readonly channels?: readonly string[] | undefined;
  readonly sender?: string | undefined;
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** The principal that has made it. */
  readonly createdBy: string;
  /** Unix milliseconds; absent: never. */
  readonly expiresAt?: number | undefined;
}

/** Selects tokens. */
export interface TokenQuery {
  readonly tenant: string;
  /** The ID of the last token of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/**
 * Stores credentials that were made at run time. Each change and its row in the audit trail are one commit. Calls reject with
 * GatewayError STORE_UNAVAILABLE when the store cannot answer.
 */
export abstract class CredentialStore {
  /** Adds a token. Resolves with false, and adds nothing, if the tenant has `max` tokens. @param sha256 of the token, in hexadecimal */
  abstract addToken(token: TokenRecord, sha256: string, max: number): Promise<boolean>;

  /** Finds a token, also one that has expired. */
  abstract findToken(sha256: string): Promise<TokenRecord | undefined>;

  /** Lists the tokens of a tenant, the oldest first. */
  abstract listTokens(query: TokenQuery): Promise<readonly TokenRecord[]>;

  /** Returns whether a principal has a token that has not expired. */
  abstract hasToken(tenant: string, principal: string): Promise<boolean>;

  /** Deletes a token. Resolves with false if the tenant has none with this ID. */
  abstract removeToken(tenant: string, id: string, actor: string): Promise<boolean>;
}
