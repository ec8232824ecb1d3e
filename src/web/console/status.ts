import { gatewayClock } from '../model/gateway-clock.js';
import { Signal } from '../model/signal.js';
import type { Api } from './api.js';
import type { Live } from './live.js';

/** A warning about the current state. */
export interface Warning {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** Unix milliseconds. */
  readonly since: number;
  readonly sentence: string;
  /** The call of the API that shows more about it. */
  readonly link: string;
}

/** A minute of the last hour. */
export interface Minute {
  readonly at: number;
  readonly messages: number;
  readonly waiting: number;
  readonly first_block_p95_ms?: number;
  readonly failed: number;
}

/** `GET /status`, as far as the console shows it. */
export interface StatusAnswer {
  readonly version: string;
  readonly uptime_seconds: number;
  readonly counts: {
    readonly waiting: number;
    readonly running: number;
    readonly approvals: number;
    readonly dead_letters: number;
  };
  readonly warnings: readonly Warning[];
  readonly minutes: readonly Minute[];
}

/** Least time between two reads that events cause, and the interval of reads without events, in milliseconds. */
const LEAST_INTERVAL_MS = 2_000;
const READ_INTERVAL_MS = 20_000;

/** The state of the gateway, read again when something happens. */
export class GatewayStatus {
  readonly changed = new Signal();
  #answer: StatusAnswer | undefined;
  #startedAt = 0;
  #error: unknown;
  #isReading = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isSoon = false;

  constructor(
    private readonly api: Api,
    private readonly live: Live,
  ) {
    live.subscribe(['message', 'turn', 'approval', 'channel', 'dead_letter'], () => this.#readSoon(LEAST_INTERVAL_MS));
    live.reset.subscribe(() => void this.read());
  }

  /** The newest one that was read. */
  get answer(): StatusAnswer | undefined {
    return this.#answer;
  }

  /** When the gateway was started, in Unix milliseconds; 0 before the first answer. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** Why it could not be read, if the last try has failed. */
  get error(): unknown {
    return this.#error;
  }

  async read(): Promise<void> {
    if (this.#isReading) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isReading = true;
    try {
      this.#answer = await this.api.get<StatusAnswer>('/status');
      this.#startedAt = gatewayClock.now() - this.#answer.uptime_seconds * 1_000;
      this.#error = undefined;
    } catch (error) {
      this.#error = error;
    }
    this.#isReading = false;
    this.changed.emit();
    if (this.live.state !== 'paused') this.#readSoon(READ_INTERVAL_MS);
  }

  #readSoon(waitMs: number): void {
    // A read that was planned for later does not put one off that an event asks for.
    if (this.#timer !== undefined && waitMs === READ_INTERVAL_MS) return;
    if (waitMs === LEAST_INTERVAL_MS && this.#isSoon) return;
    clearTimeout(this.#timer);
    this.#isSoon = waitMs === LEAST_INTERVAL_MS;
    this.#timer = setTimeout(() => {
      this.#isSoon = false;
      void this.read();
    }, waitMs);
  }
}
