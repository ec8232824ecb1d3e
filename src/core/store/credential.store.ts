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

/** A person whom an identity provider has signed in, in one browser. */
export interface SignInRecord {
  /** The SHA-256 of the browser's cookie, in hexadecimal. */
  readonly id: string;
  /** The person and the session as the provider names them. */
  readonly subject: string;
  readonly sid?: string | undefined;
  readonly tenant: string;
  readonly principal: string;
  readonly role: Role;
  readonly scopes: readonly Scope[];
  readonly channels?: readonly string[] | undefined;
  readonly sender?: string | undefined;
  /** When the rights were given, when they should be renewed, and when they end; when the sign-in ends. Unix milliseconds. */
  readonly renewedAt: number;
  readonly renewAt: number;
  readonly expiresAt: number;
  readonly endsAt: number;
  /** The tokens of the sign-in, sealed with the browser's cookie. */
  readonly sealed: string;
}

/** Selects sign-ins. */
export type SignInSelector = { readonly id: string } | { readonly sid?: string; readonly subject?: string };

/**
 * Stores credentials that were made at run time. Each change and its row in the audit trail are one commit. Calls reject with
 * GatewayError STORE_UNAVAILABLE when the store cannot answer.
 */
export abstract class CredentialStore {
  /** Adds a token. Resolves with false, and adds nothing, if the tenant has `max` tokens. @param sha256 of the token, in hexadecimal */
  abstract addToken(token: TokenRecord, sha256: string, max: number): Promise<boolean>;

  /** Finds a token, also one that has expired. */
  abstract findToken(sha256: string): Promise<TokenRecord | undefined>;

  /** Lists the tokens of a tenant, or of `ALL_TENANTS`, the oldest first. */
  abstract listTokens(query: TokenQuery): Promise<readonly TokenRecord[]>;

  /** Lists the tokens of a tenant, or of `ALL_TENANTS`, that expire within `ms`, the soonest first. */
  abstract listExpiringTokens(tenant: string, ms: number, limit: number): Promise<readonly TokenRecord[]>;

  /** Returns whether a principal has a token that has not expired. */
  abstract hasToken(tenant: string, principal: string): Promise<boolean>;

  /** Deletes a token. Resolves with false if the tenant, or `ALL_TENANTS`, has none with this ID. */
  abstract removeToken(tenant: string, id: string, actor: string): Promise<boolean>;

  /** Adds a sign-in. @param address of the person, for the audit trail */
  abstract addSignIn(signIn: SignInRecord, address: string): Promise<void>;

  /** Finds a sign-in, also one that has ended. */
  abstract findSignIn(id: string): Promise<SignInRecord | undefined>;

  /**
   * Takes the right to renew a sign-in until `until`. Of concurrent calls, on all replicas, one gets it. Resolves with false if
   * another one has it, or the sign-in is due at another time than `renewAt` by now, or gone.
   */
  abstract leaseSignIn(id: string, renewAt: number, until: number): Promise<boolean>;

  /** Replaces a sign-in and gives the right to renew it back. Resolves with false if it is gone. */
  abstract renewSignIn(signIn: SignInRecord): Promise<boolean>;

  /** Deletes sign-ins: one, all of a session of the provider, or all of a person. Resolves with their IDs. */
  abstract removeSignIns(selector: SignInSelector, actor: string): Promise<readonly string[]>;
}
