/** Asks Tailscale whose machine has an address. */
export abstract class Whois {
  /**
   * Resolves with the login of a person; undefined for machines without an owner, and for addresses of no machine.
   * Rejects if Tailscale cannot be asked.
   * @param address an IP address
   */
  abstract find(address: string): Promise<string | undefined>;
}
