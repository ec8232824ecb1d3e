const MAX_LENGTH = 2_048;

/** Returns whether a page may ask the person to open something: an address of the web, and not a script or a file. */
export function isWebLink(address: unknown): address is string {
  return typeof address === 'string' && address.length <= MAX_LENGTH && /^https?:\/\//i.test(address);
}
