import { toPlainText } from '../plain-text.js';

/** Buffers the last `maxBytes` bytes of an output, and counts the rest. */
export class OutputTail {
  private readonly chunks: Uint8Array[] = [];
  private keptBytes = 0;
  private writtenBytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** Number of bytes written so far. */
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

  /** Returns the buffered bytes. */
  read(): Buffer {
    return Buffer.concat(this.chunks).subarray(-this.maxBytes);
  }

  /** Returns the buffered text, after a line about how much was cut, if anything was. */
  describe(): string {
    const kept = this.read();
    const cutBytes = this.writtenBytes - kept.length;
    const text = toPlainText(kept.toString());
    return cutBytes === 0 ? text : `[the first ${cutBytes} bytes of ${this.writtenBytes} were cut]\n${text}`;
  }
}
