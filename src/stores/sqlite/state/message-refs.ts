import type { LogEpoch } from './log-epochs.js';

/**
 * Converts between ords and message refs, `m_<epoch>_<ord>`. The epoch is the random name of the start in which the
 * message was accepted, so refs are globally unique without an index, also over an empty file or an older copy of this
 * one: both give out the same ords again, under another name.
 */
export class MessageRefs {
  /** Newest first, since most refs are of recent messages. */
  private readonly epochs: readonly { readonly prefix: string; readonly firstOrd: number }[];

  /** `epochs`: oldest first, at least one; the first one covers all ords before the second. */
  constructor(epochs: readonly Pick<LogEpoch, 'name' | 'firstOrd'>[]) {
    this.epochs = epochs
      .map(({ name, firstOrd }, index) => ({ prefix: `m_${name}_`, firstOrd: index === 0 ? 0 : firstOrd }))
      .reverse();
  }

  format(ord: number): string {
    return `${this.prefixOf(ord)}${ord.toString(36)}`;
  }

  /** Returns the message's ord; undefined if this database cannot have issued the ref. */
  parse(messageRef: string): number | undefined {
    const ord = Number.parseInt(messageRef.slice(messageRef.lastIndexOf('_') + 1), 36);
    return ord > 0 && Number.isSafeInteger(ord) && this.format(ord) === messageRef ? ord : undefined;
  }

  private prefixOf(ord: number): string | undefined {
    return this.epochs.find(({ firstOrd }) => firstOrd <= ord)?.prefix;
  }
}
