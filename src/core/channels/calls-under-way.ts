/**
 * The calls of a run whose outcomes are still to be stored. At its end the run waits for them, so that the next one does not
 * doubt what the platform has confirmed.
 */
export class CallsUnderWay {
  private readonly calls = new Set<Promise<unknown>>();

  /** Returns the call, which counts until it is settled. */
  add<T>(call: Promise<T>): Promise<T> {
    this.calls.add(call);
    const forget = () => void this.calls.delete(call);
    call.then(forget, forget);
    return call;
  }

  /** Resolves when all calls are settled. */
  async whenDone(): Promise<void> {
    await Promise.allSettled(this.calls);
  }
}
