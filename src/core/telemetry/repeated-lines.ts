/** Lines with texts of their own within a minute; those of others are counted together. */
const MAX_TEXTS = 60;
const OTHERS = 'other reasons';

/** Writes a line. `more`: how many equal ones came after the first within the minute. */
type WriteLine = (fields: { readonly more?: number }) => void;

/**
 * Lines of a log that a flood of requests would repeat. The first with a text is written at once; those that follow within the
 * minute are counted in one line at its end.
 */
export class RepeatedLines {
  private readonly counted = new Map<string, { readonly write: WriteLine; more: number }>();

  /** @param text what makes lines equal */
  note(text: string, write: WriteLine): void {
    const key = this.counted.has(text) || this.counted.size < MAX_TEXTS ? text : OTHERS;
    const known = this.counted.get(key);
    if (known) {
      known.more++;
      return;
    }
    this.counted.set(key, { write, more: 0 });
    write({});
  }

  /** Ends the minute: writes the lines with counts. */
  endMinute(): void {
    for (const { write, more } of this.counted.values()) if (more > 0) write({ more });
    this.counted.clear();
  }
}
