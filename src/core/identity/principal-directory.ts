/** What the core asks about principals that are not connected at the moment: the one who sent a message, say. */
export abstract class PrincipalDirectory {
  /** The tool permissions that calls in the name of this principal may use at most; undefined: no limit of its own. */
  abstract findToolPermissions(tenant: string, principal: string): readonly string[] | undefined;
}
