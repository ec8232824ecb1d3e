/**
 * The end of the log: standard output, and what happens to lines that it does not take.
 *
 * Promises: writing a line never throws and takes a bounded time; lines that were lost are reported once writing works
 * again. Refuses to know: what a line says, and levels.
 */
import { writeSync } from 'node:fs';
import type { LogOutput } from './pretty-lines.js';

/** Writes bytes to a file descriptor and returns how many it took. Throws like `fs.writeSync`. */
export type WriteBytes = (fd: number, bytes: Uint8Array) => number;

/** A pipe whose reader is slow refuses with EAGAIN: the pauses between attempts, and how many in a row there are. */
const BUSY_PAUSE_MS = 10;
const MAX_BUSY_ATTEMPTS = 20;
const BUSY: ReadonlySet<string | undefined> = new Set(['EAGAIN', 'EBUSY', 'EINTR']);

/**
 * Writes lines to standard output synchronously, so that lines logged before a crash are not lost. A line that is not
 * taken whole throws; the next one then begins on a line of its own.
 */
export class StandardOutput implements LogOutput {
  private isTorn = false;
  /** True once a line was given up because the reader is slow: until it reads again, no line waits for it. */
  private isStuck = false;

  constructor(
    private readonly writeBytes: WriteBytes = writeSync,
    private readonly pause: (ms: number) => void = sleepSync,
  ) {}

  /** @throws the error of the file system, with its `code` */
  write(line: string): void {
    let rest: Uint8Array = Buffer.from(this.isTorn ? `\n${line}` : line);
    for (let attempt = 1; rest.length > 0;) {
      try {
        const written = this.writeBytes(1, rest);
        if (written > 0) attempt = 1;
        rest = rest.subarray(written);
        this.isTorn = rest.length > 0;
        this.isStuck = false;
      } catch (error) {
        if (!BUSY.has((error as NodeJS.ErrnoException).code)) throw error;
        if (this.isStuck || attempt++ >= MAX_BUSY_ATTEMPTS) {
          this.isStuck = true;
          throw error;
        }
        this.pause(BUSY_PAUSE_MS);
      }
    }
  }
}

/** Blocks the thread: a log that returned before its line is written would lose the last lines of a crash. */
function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/**
 * Drops the lines that `output` throws on (a full disk, a reader that left). After the first line that is written
 * again, `report` is called with the number of dropped lines and the last error.
 */
export class DroppingOutput implements LogOutput {
  private dropped = 0;
  private lastError: unknown;

  constructor(
    private readonly output: LogOutput,
    private readonly report: (dropped: number, error: unknown) => void,
  ) {}

  write(line: string): void {
    try {
      this.output.write(line);
    } catch (error) {
      this.dropped++;
      this.lastError = error;
      return;
    }
    const { dropped } = this;
    if (dropped === 0) return;
    this.dropped = 0;
    this.report(dropped, this.lastError);
    // The report is a line too. When it was dropped, the next one counts the same lines.
    if (this.dropped > 0) this.dropped = dropped;
  }
}
