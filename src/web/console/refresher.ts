/** Reads something again when events say that it has changed: at most once per interval, and not while it must stay still. */
export class Refresher {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isReading = false;
  #isWanted = false;

  /**
   * @param intervalMs between two reads, in milliseconds
   * @param mustWait returns true while what is shown must not change, because a pointer is over it
   */
  constructor(
    private readonly read: () => Promise<void>,
    private readonly intervalMs: number,
    private readonly mustWait: () => boolean = () => false,
  ) {}

  /** Asks for a read. */
  readonly ask = (): void => {
    this.#isWanted = true;
    this.#timer ??= setTimeout(() => void this.#run(), this.intervalMs);
  };

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isWanted = false;
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    if (this.#isReading || this.mustWait()) return this.ask();
    this.#isWanted = false;
    this.#isReading = true;
    await this.read();
    this.#isReading = false;
    if (this.#isWanted) this.ask();
  }
}
