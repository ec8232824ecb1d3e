const LINE_FEED = 0x0a;

/** Splits a stream of bytes into lines. Buffers at most one unfinished line. */
export class LineBuffer {
  private chunks: Buffer[] = [];
  private bytes = 0;

  /** @param maxBytes longest line, in bytes */
  constructor(private readonly maxBytes: number) {}

  /**
   * Adds a chunk and yields the lines that it completes, without line ends.
   * @throws RangeError when a line is too long
   */
  *push(chunk: Buffer): Generator<string> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      this.add(chunk.subarray(start, end));
      const line = Buffer.concat(this.chunks).toString().replace(/\r$/, '');
      this.clear();
      start = end + 1;
      yield line;
    }
    this.add(chunk.subarray(start));
  }

  clear(): void {
    this.chunks = [];
    this.bytes = 0;
  }

  private add(part: Buffer): void {
    this.bytes += part.length;
    if (this.bytes > this.maxBytes) throw new RangeError(`a line has more than ${this.maxBytes} bytes`);
    this.chunks.push(part);
  }
}
