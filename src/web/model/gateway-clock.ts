/** The clock of the gateway, read from its frames. The clock of the device may be wrong by days. */
export class GatewayClock {
  #offset = 0;

  /** `now` returns the time of the device, in Unix milliseconds. */
  constructor(private readonly deviceNow: () => number = Date.now) {}

  /** Notes the time of a frame that the gateway has just sent. */
  note(timestamp: number): void {
    this.#offset = timestamp - this.deviceNow();
  }

  /** Returns the time in Unix milliseconds. */
  now(): number {
    return this.deviceNow() + this.#offset;
  }
}

/** The clock of the gateway of this page. */
export const gatewayClock = new GatewayClock();
