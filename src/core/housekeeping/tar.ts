const BLOCK = 512;
/** Sizes from here on have no place in an octal field. */
const MAX_OCTAL_SIZE = 8 ** 11;

/** The end of an archive. */
export const TAR_END: Uint8Array = new Uint8Array(2 * BLOCK);

/** Builds the header of a file in a tar archive (POSIX ustar). @param at Unix milliseconds */
export function tarHeader(name: string, size: number, at: number): Uint8Array {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 100);
  header.write('0000600\0' + '0000000\0'.repeat(2), 100);
  if (size < MAX_OCTAL_SIZE) header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  else {
    // As GNU tar writes them: the highest bit, then the number.
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  header.write(
    `${Math.floor(at / 1_000)
      .toString(8)
      .padStart(11, '0')}\0`,
    136,
  );
  header.write('        0', 148);
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** Returns what follows the content of a file, up to the next header. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}

/** Receives the files of an archive. */
export interface TarReceiver {
  begin(name: string, size: number): void;
  take(chunk: Uint8Array): void;
  end(): void;
}

/** Reads a tar archive in chunks of any length. */
export class TarReader {
  private held: Buffer = Buffer.alloc(0);
  private left = 0;
  private padding = 0;
  /** The end of the archive was read. */
  isEnded = false;

  constructor(private readonly receiver: TarReceiver) {}

  /** @throws Error if it is not a tar archive */
  take(chunk: Uint8Array): void {
    let rest: Buffer =
      this.held.length === 0
        ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
        : Buffer.concat([this.held, chunk]);
    while (rest.length > 0 && !this.isEnded) {
      const length = this.left > 0 ? Math.min(this.left, rest.length) : this.padding > 0 ? this.padding : BLOCK;
      if (rest.length < length) break;
      this.takePart(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
    this.held = this.isEnded ? Buffer.alloc(0) : Buffer.from(rest);
  }

  private takePart(part: Buffer): void {
    if (this.left > 0) {
      this.left -= part.length;
      this.receiver.take(part);
      if (this.left === 0) this.receiver.end();
    } else if (this.padding > 0) this.padding = 0;
    else if (part.every((byte) => byte === 0)) this.isEnded = true;
    else this.begin(part);
  }

  private begin(header: Buffer): void {
    if (header.toString('latin1', 257, 262) !== 'ustar') throw new Error('it is not a backup of openclaw');
    const name = header.toString('utf8', 0, 100).replace(/\0.*$/s, '');
    const size =
      header[124] === 0x80
        ? Number(header.readBigUInt64BE(128))
        : Number.parseInt(header.toString('latin1', 124, 135), 8);
    this.left = size;
    this.padding = tarPadding(size).length;
    this.receiver.begin(name, size);
    if (size === 0) this.receiver.end();
  }
}
