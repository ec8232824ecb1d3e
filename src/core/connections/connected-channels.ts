import type { Principal } from '../identity/principal.js';

/** Lists the connected channels, for `/health`. */
export abstract class ConnectedChannels {
  /** Returns the names of those that `reader` may know of, in alphabetical order, each once. */
  abstract list(reader: Pick<Principal, 'tenant' | 'channels'>): readonly string[];
}
