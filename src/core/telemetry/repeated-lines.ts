const MINUTE_MS = 60_000;
/** Lines with texts of their own within a minute; those of others are counted together. */
const MAX_TEXTS = 60;
/** Maximum length of a text that is compared, in UTF-16 units. */
const MAX_COMPARED = 500;
const OTHERS = 'other reasons';

/** The part of a `Clock` that ends minutes. */
interface Repeater {
  setRepeating(periodMs: number, callback: () => void): () => void;
}

/** Writes a line. `more`: how many equal ones came after the first within the minute. */
type WriteLine = (fields: { readonly more?: number }) => void;

/**
 * Lines of a log that a flood of requests or errors would repeat. The first with a text is written at once; those that follow within the
 * minute are counted in one line at its end.
 */
export class RepeatedLines {
  private readonly counted = new Map<string, { readonly write: WriteLine; more: number }>();

  /** Counts by the minute, until the returned function is called: it writes the counts of the last one. */
  start(clock: Repeater): () => void {
    const stop = clock.setRepeating(MINUTE_MS, () => this.endMinute());
    return () => {
      stop();
      this.endMinute();
    };
  }

  /** @param text what makes lines equal, by its first 500 characters */
  note(text: string, write: WriteLine): void {
    const compared = text.slice(0, MAX_COMPARED);
    const key = this.counted.has(compared) || this.counted.size < MAX_TEXTS ? compared : OTHERS;
    const known = this.counted.get(key);
    if (known) {
      known.more++;
      return;
    }
    this.counted.set(key, { write, more: 0 });
    write({});
  }

  private endMinute(): void {
    for (const { write, more } of this.counted.values()) if (more > 0) write({ more });
    this.counted.clear();
  }
}

/** Returns what makes errors of a team's code equal. Reading them may call any code, which may throw. */
export function textOf(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name} ${error.message}` : String(error);
  } catch {
    return 'unreadable';
  }
}
