import type { CancelTimer, Clock } from '../time/clock.js';

/** A source that has not said after this time what tools it has counts as away for turns that begin, in milliseconds. */
const MAX_STARTUP_WAIT_MS = 10_000;

/** Where tools come from that come and go: an MCP server, a device. */
export interface SourceDescription {
  /** For people: `the MCP server demo`. */
  readonly label: string;
  /** The beginning of the names of its tools. */
  readonly prefix: string;
  /** The longest time that a call waits for one of its tools, in milliseconds. */
  readonly timeoutMs: number;
}

/** One source. It begins as connecting: its tools are not known, and calls of them wait. */
export class ToolSource {
  private connecting: PromiseWithResolvers<void> | undefined = Promise.withResolvers();
  private readonly firstKnown = Promise.withResolvers<void>();
  private readonly cancelTimer: CancelTimer;
  /** Whether the last attempt to connect failed: calls of its tools fail at once. */
  isAway = false;
  /** Whether turns that begin still wait for it. */
  isStarting = true;

  constructor(
    readonly description: SourceDescription,
    clock: Clock,
  ) {
    this.cancelTimer = clock.setTimer(MAX_STARTUP_WAIT_MS, () => this.endStartup());
  }

  /** Its tools are being asked for, after a connection has ended. */
  setConnecting(): void {
    this.isAway = false;
    this.connecting ??= Promise.withResolvers();
  }

  /** Its tools are registered. */
  setReady(): void {
    this.isAway = false;
    this.settle();
  }

  /** It cannot be reached. */
  setAway(): void {
    this.isAway = true;
    this.settle();
  }

  /** Resolves when it is ready or away. */
  whenKnown(): Promise<void> {
    return this.connecting?.promise ?? Promise.resolve();
  }

  /** Resolves when it is ready or away for the first time, or has taken too long for it. */
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

/** Knows the sources of tools, so that turns and calls wait for what is on its way. */
export class ToolSources {
  private readonly sources = new Set<ToolSource>();

  constructor(private readonly clock: Clock) {}

  add(description: SourceDescription): ToolSource {
    const source = new ToolSource(description, this.clock);
    this.sources.add(source);
    return source;
  }

  /** Takes a source away; whoever waits for it goes on. */
  remove(source: ToolSource): void {
    this.sources.delete(source);
    source.setAway();
  }

  /** Resolves when each source has said what tools it has, or is known to be away, or `signal` aborts. */
  async whenStarted(signal: AbortSignal): Promise<void> {
    const starting = [...this.sources].filter(({ isStarting }) => isStarting);
    if (starting.length > 0) await orAborted(Promise.all(starting.map((source) => source.whenStarted())), signal);
  }

  /**
   * Waits while the source of the tool `name` is connecting, at most for the source's time limit. Returns why the tool
   * is not there, or undefined when no source is to blame.
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
