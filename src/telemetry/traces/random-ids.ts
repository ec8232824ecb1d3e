import { randomFillSync } from 'node:crypto';

/** Random bytes that are drawn at a time: a call for each ID would cost more than the span that it names. */
const POOL_BYTES = 4_096;

/** Makes the IDs of traces and spans: random numbers in lower-case hexadecimal digits. */
export class RandomIds {
  private readonly pool = Buffer.allocUnsafe(POOL_BYTES);
  private used = POOL_BYTES;

  /** Returns an ID of `bytes` bytes, at most 64. An ID of zeros would be invalid, and is as likely as a repeated one. */
  next(bytes: number): string {
    if (this.used + bytes > POOL_BYTES) {
      randomFillSync(this.pool);
      this.used = 0;
    }
    const from = this.used;
    this.used += bytes;
    return this.pool.toString('hex', from, this.used);
  }
}
