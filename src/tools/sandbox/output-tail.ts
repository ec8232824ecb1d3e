import { toPlainText } from '../plain-text.js';

/** Keeps the end of what is written to it: the last `maxBytes` bytes, and how many went before. */
export class OutputTail {
  private readonly chunks: Uint8Array[] = [];
  private keptBytes = 0;
  private writtenBytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** All that was ever written, in bytes. */
  get totalBytes(): number {
    return this.writtenBytes;
  }

  write(chunk: Uint8Array): void {
    const end = chunk.subarray(Math.max(0, chunk.length - this.maxBytes));
    this.chunks.push(end);
    this.keptBytes += end.length;
    this.writtenBytes += chunk.length;
    for (let first = this.chunks[0]; first && this.keptBytes - first.length >= this.maxBytes; first = this.chunks[0]) {
      this.chunks.shift();
      this.keptBytes -= first.length;
    }
  }

  /** What is kept. */
  read(): Buffer {
    return Buffer.concat(this.chunks).subarray(-this.maxBytes);
  }

  /** What is kept as text, with a first line that says what was cut, if anything was. */
  describe(): string {
    const kept = this.read();
    const cutBytes = this.writtenBytes - kept.length;
    const text = toPlainText(kept.toString());
    return cutBytes === 0 ? text : `[the first ${cutBytes} bytes of ${this.writtenBytes} were cut]\n${text}`;
  }
}
