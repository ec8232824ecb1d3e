import type { ServerProcess } from '../server-process.ts';

const INTERVAL_MS = 250;

/** Samples the resident memory of a server. */
export class MemoryWatch implements Disposable {
  private peak: number;
  private readonly timer: NodeJS.Timeout;
  private readonly server: ServerProcess;

  constructor(server: ServerProcess) {
    this.server = server;
    this.peak = this.mib;
    this.timer = setInterval(() => (this.peak = Math.max(this.peak, this.mib)), INTERVAL_MS);
  }

  /** The memory now, in MiB. */
  get mib(): number {
    return this.server.usage().rssBytes / 1_048_576;
  }

  /** The most memory since the start, in MiB. */
  get peakMib(): number {
    return this.peak;
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer);
  }
}
