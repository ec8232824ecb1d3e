import type { LogEpoch } from './log-epochs.js';
import { Permutation } from './permutation.js';

interface RefEpoch {
  readonly prefix: string;
  readonly firstOrd: number;
  /** Hides the ords of its refs; undefined for starts of before. */
  readonly permutation: Permutation | undefined;
}

/**
 * Converts between ords and message refs, `m_<epoch>_<place>`. The epoch is the random name of the start in which the
 * message was accepted, so refs are globally unique without an index, also over an empty file or an older copy of this
 * one: both give out the same ords again, under another name. The place is the ord, permuted with the key of the start:
 * ords number the messages of all tenants, and a ref must not disclose how many messages others send.
 */
export class MessageRefs {
  /** Newest first, since most refs are of recent messages. */
  private readonly epochs: readonly RefEpoch[];
  private readonly byPrefix: ReadonlyMap<string, RefEpoch>;

  /** `epochs`: oldest first, at least one; the first one covers all ords before the second. */
  constructor(epochs: readonly Pick<LogEpoch, 'name' | 'firstOrd' | 'refKey'>[]) {
    this.epochs = epochs
      .map(({ name, firstOrd, refKey }, index) => ({
        prefix: `m_${name}_`,
        firstOrd: index === 0 ? 0 : firstOrd,
        permutation: refKey ? new Permutation(refKey) : undefined,
      }))
      .reverse();
    this.byPrefix = new Map(this.epochs.map((epoch) => [epoch.prefix, epoch]));
  }

  format(ord: number): string {
    const epoch = this.epochs.find(({ firstOrd }) => firstOrd <= ord);
    return `${epoch?.prefix}${epoch?.permutation?.encode(ord) ?? ord.toString(36)}`;
  }

  /** Returns the message's ord; undefined if this database cannot have issued the ref. */
  parse(messageRef: string): number | undefined {
    const end = messageRef.lastIndexOf('_') + 1;
    const epoch = this.byPrefix.get(messageRef.slice(0, end));
    if (!epoch) return undefined;
    const place = messageRef.slice(end);
    const ord = epoch.permutation ? epoch.permutation.decode(place) : Number.parseInt(place, 36);
    return ord !== undefined && Number.isSafeInteger(ord) && ord > 0 && this.format(ord) === messageRef
      ? ord
      : undefined;
  }
}
