/**
 * Converts between ords and message refs, `m_<instance>_<ord>`. The instance is a random name of the database, so refs
 * are globally unique without an index, also after a start with an empty file.
 */
export class MessageRefs {
  private readonly prefix: string;

  constructor(instance: string) {
    this.prefix = `m_${instance}_`;
  }

  format(ord: number): string {
    return this.prefix + ord.toString(36);
  }

  /** Returns the message's ord; undefined if this database cannot have issued the ref. */
  parse(messageRef: string): number | undefined {
    if (!messageRef.startsWith(this.prefix)) return undefined;
    const ord = Number.parseInt(messageRef.slice(this.prefix.length), 36);
    return ord > 0 && Number.isSafeInteger(ord) && this.format(ord) === messageRef ? ord : undefined;
  }
}
