import type { CancelTimer, Clock } from '../time/clock.js';

/** Maximum time for which new turns wait for a source that has not connected yet, in milliseconds. */
const MAX_STARTUP_WAIT_MS = 10_000;

/** A source of tools that connects and disconnects: an MCP server, a device. */
export interface SourceDescription {
  /** The name for people, for example `the MCP server demo`. */
  readonly label: string;
  /** The prefix of the names of its tools. */
  readonly prefix: string;
  /** Maximum time for which a call waits for one of its tools, in milliseconds. */
  readonly timeoutMs: number;
}

/** One source. It starts as connecting: its tools are not known yet, and calls of them wait. */
export class ToolSource {
  private connecting: PromiseWithResolvers<void> | undefined = Promise.withResolvers();
  private readonly firstKnown = Promise.withResolvers<void>();
  private readonly cancelTimer: CancelTimer;
  /** True if the last attempt to connect failed. Calls of its tools fail at once then. */
  isAway = false;
  /** True while new turns wait for it. */
  isStarting = true;

  constructor(
    readonly description: SourceDescription,
    clock: Clock,
  ) {
    this.cancelTimer = clock.setTimer(MAX_STARTUP_WAIT_MS, () => this.endStartup());
  }

  /** The source is connecting again. */
  setConnecting(): void {
    this.isAway = false;
    this.connecting ??= Promise.withResolvers();
  }

  /** The source is connected and its tools are registered. */
  setReady(): void {
    this.isAway = false;
    this.settle();
  }

  /** The source is unavailable. */
  setAway(): void {
    this.isAway = true;
    this.settle();
  }

  /** Resolves when the source is ready or away. */
  whenKnown(): Promise<void> {
    return this.connecting?.promise ?? Promise.resolve();
  }

  /** Resolves when the source is ready or away for the first time, or has taken too long. */
  whenStarted(): Promise<void> {
    return this.firstKnown.promise;
  }

  private settle(): void {
    this.connecting?.resolve();
    this.connecting = undefined;
    this.endStartup();
  }

  private endStartup(): void {
    this.isStarting = false;
    this.cancelTimer();
    this.firstKnown.resolve();
  }
}

/** Keeps the sources of tools, so that turns and calls wait for sources that are connecting. */
export class ToolSources {
  private readonly sources = new Set<ToolSource>();

  constructor(private readonly clock: Clock) {}

  add(description: SourceDescription): ToolSource {
    const source = new ToolSource(description, this.clock);
    this.sources.add(source);
    return source;
  }

  /** Removes a source. Turns and calls that wait for it continue. */
  remove(source: ToolSource): void {
    this.sources.delete(source);
    source.setAway();
  }

  /** Resolves when each source is ready, away or has taken too long, or when `signal` aborts. */
  async whenStarted(signal: AbortSignal): Promise<void> {
    const starting = [...this.sources].filter(({ isStarting }) => isStarting);
    if (starting.length > 0) await orAborted(Promise.all(starting.map((source) => source.whenStarted())), signal);
  }

  /**
   * Waits while the source of the tool `name` is connecting, at most for the source's time limit. Resolves with the reason
   * why the source is unavailable, or with undefined.
   */
  async waitFor(name: string, signal: AbortSignal): Promise<string | undefined> {
    const source = [...this.sources].find(({ description }) => name.startsWith(description.prefix));
    if (!source) return undefined;
    const { label, timeoutMs } = source.description;
    let isLate = false;
    const late = Promise.withResolvers<void>();
    const cancelTimer = this.clock.setTimer(timeoutMs, () => {
      isLate = true;
      late.resolve();
    });
    await orAborted(Promise.race([source.whenKnown(), late.promise]), signal);
    cancelTimer();
    if (signal.aborted) return 'the turn was stopped';
    if (isLate) return `${label} did not connect within ${timeoutMs} ms`;
    return source.isAway ? `${label} cannot be reached` : undefined;
  }
}

function orAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    void promise.finally(done);
  });
}
