import { createHash } from 'node:crypto';

/** Longer last lines are not the end of an export. */
const MAX_END_LENGTH = 1_024;

/** Checks that JSON lines end with their number and their hash, as the gateway sends them. */
export class EndOfLines {
  private readonly digest = createHash('sha256');
  /** The bytes of the last line that has begun, or of the last whole one. */
  private tail: Buffer = Buffer.alloc(0);
  private lines = 0;
  /** The number of items, once the end was read. */
  items = 0;

  take(chunk: Uint8Array): void {
    const bytes = Buffer.concat([this.tail, chunk]);
    // The last whole line may be the end, which the hash does not cover.
    const last = bytes.subarray(0, -1).lastIndexOf(0x0a) + 1;
    const covered = bytes.subarray(0, last);
    this.digest.update(covered);
    for (const byte of covered) if (byte === 0x0a) this.lines++;
    this.tail = Buffer.from(bytes.subarray(last));
  }

  /** @throws Error if the lines are incomplete or changed */
  end(): void {
    const { type, items, sha256 } = parseEnd(this.tail);
    if (type !== 'end') throw new Error('the export is incomplete: its end is missing; nothing was saved');
    if (items !== this.lines || sha256 !== this.digest.digest('hex'))
      throw new Error('the export was damaged on its way: its hash differs; nothing was saved');
    this.items = this.lines;
  }
}

function parseEnd(line: Buffer): { readonly type?: unknown; readonly items?: unknown; readonly sha256?: unknown } {
  if (line.length > MAX_END_LENGTH) return {};
  try {
    return JSON.parse(line.toString()) as object;
  } catch {
    return {};
  }
}
