/** Looks up principals that may not be connected, such as the sender of a message. */
export abstract class PrincipalDirectory {
  /**
   * Returns the tool permissions that calls for this principal are limited to; undefined if it has no limit of its own.
   */
  abstract findToolPermissions(tenant: string, principal: string): readonly string[] | undefined;

  /** Returns true if no credential of this principal exists any more; false if that is not known. */
  abstract isGone(tenant: string, principal: string): boolean | Promise<boolean>;
}
