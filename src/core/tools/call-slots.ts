/** Bounds how many tool calls run at the same time; the others wait in the order in which they came. */
export class CallSlots {
  private taken = 0;
  private readonly waiting: (() => void)[] = [];

  /** @param limit asked anew for each call, so that a change takes effect at once */
  constructor(private readonly limit: () => number) {}

  /** Waits for a place; the answer gives it back. Undefined when `signal` aborted first. */
  async enter(signal: AbortSignal): Promise<(() => void) | undefined> {
    while (this.taken >= this.limit() && !signal.aborted) await this.waitForTurn(signal);
    if (signal.aborted) return undefined;
    this.taken++;
    return () => {
      this.taken--;
      this.waiting.shift()?.();
    };
  }

  private waitForTurn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = () => {
        const at = this.waiting.indexOf(wake);
        if (at !== -1) this.waiting.splice(at, 1);
        resolve();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.waiting.push(wake);
    });
  }
}
