/**
 * The gateway's names for messages: `m_<instance>_<ord>`. The instance is the database's own random name, so a ref is
 * unique for ever without an index of its own, also after a start with an empty file.
 */
export class MessageRefs {
  private readonly prefix: string;

  constructor(instance: string) {
    this.prefix = `m_${instance}_`;
  }

  format(ord: number): string {
    return this.prefix + ord.toString(36);
  }

  /** The message's ord, or undefined when this database has never given out such a ref. */
  parse(messageRef: string): number | undefined {
    if (!messageRef.startsWith(this.prefix)) return undefined;
    const ord = Number.parseInt(messageRef.slice(this.prefix.length), 36);
    return ord > 0 && Number.isSafeInteger(ord) && this.format(ord) === messageRef ? ord : undefined;
  }
}
