/** WebSocket frames (RFC 6455), encoded and decoded as cheaply as a load generator needs. */

const FIN_TEXT = 0x81;
const FIN_PONG = 0x8a;
const MASKED = 0x80;

/** Encodes a client's text frame. The mask key is zero, which is legal and leaves the payload unchanged. */
export function textFrame(text: string): Buffer {
  return frame(FIN_TEXT, Buffer.from(text));
}

export function pongFrame(payload: Buffer): Buffer {
  return frame(FIN_PONG, payload);
}

function frame(first: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14);
  head[0] = first;
  if (length < 126) head[1] = MASKED | length;
  else if (length < 65_536) {
    head[1] = MASKED | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = MASKED | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

/** The numbers of a message, written into its text as runs of letters that a template replaces with digits. */
export const FIELDS = { id: 'IIIIIIII', session: 'SSSSSS', sender: 'PPPPPP' } as const;

/** Values for {@link FIELDS}; digits that do not fit are dropped. */
export type FieldValues = Readonly<Record<keyof typeof FIELDS, number>>;

/** A frame whose numbers are patched in place, so that each of a million different frames costs one copy. */
export class FrameTemplate {
  private readonly bytes: Buffer;
  private readonly places: readonly {
    readonly field: keyof FieldValues;
    readonly start: number;
    readonly end: number;
  }[];

  /** @param text the frame's text, with {@link FIELDS} in it */
  constructor(text: string) {
    const bytes = textFrame(text);
    this.bytes = bytes;
    this.places = (Object.keys(FIELDS) as (keyof FieldValues)[]).flatMap((field) =>
      findAll(bytes, FIELDS[field]).map((start) => ({ field, start, end: start + FIELDS[field].length })),
    );
  }

  get length(): number {
    return this.bytes.length;
  }

  /** Writes the frame with these numbers into `target`. */
  copyTo(target: Buffer, offset: number, values: FieldValues): void {
    this.bytes.copy(target, offset);
    for (const { field, start, end } of this.places) {
      let rest = values[field];
      for (let at = offset + end - 1; at >= offset + start; at--) {
        target[at] = 0x30 + (rest % 10);
        rest = Math.floor(rest / 10);
      }
    }
  }
}

function findAll(bytes: Buffer, mark: string): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + mark.length)) found.push(at);
  return found;
}

const OPCODE = { text: 1, close: 8, ping: 9 } as const;

/** Callbacks for a server's frames. The payload is valid only during the call. */
export interface FrameListener {
  onText(bytes: Buffer, start: number, end: number): void;
  onPing(payload: Buffer): void;
  onClose(code: number): void;
}

/** Splits a stream into frames. Servers do not mask, and those under test do not fragment. */
export class FrameScanner {
  private rest: Buffer | undefined;
  private readonly listener: FrameListener;

  constructor(listener: FrameListener) {
    this.listener = listener;
  }

  push(chunk: Buffer): void {
    const bytes = this.rest ? Buffer.concat([this.rest, chunk]) : chunk;
    let at = 0;
    for (;;) {
      const start = at + headLength(bytes, at);
      const end = start + payloadLength(bytes, at);
      // The length is NaN while the frame's head is incomplete, and the comparison is then false.
      if (!(end <= bytes.length)) break;
      this.emit((bytes[at] ?? 0) & 0x0f, bytes, start, end);
      at = end;
    }
    this.rest = at === bytes.length ? undefined : bytes.subarray(at);
  }

  private emit(opcode: number, bytes: Buffer, start: number, end: number): void {
    if (opcode === OPCODE.text) this.listener.onText(bytes, start, end);
    else if (opcode === OPCODE.ping) this.listener.onPing(Buffer.from(bytes.subarray(start, end)));
    else if (opcode === OPCODE.close) this.listener.onClose(end - start >= 2 ? bytes.readUInt16BE(start) : 1005);
  }
}

function headLength(bytes: Buffer, at: number): number {
  const short = bytes[at + 1];
  if (short === undefined) return Number.NaN;
  const length = short < 126 ? 2 : short === 126 ? 4 : 10;
  return at + length <= bytes.length ? length : Number.NaN;
}

function payloadLength(bytes: Buffer, at: number): number {
  const head = headLength(bytes, at);
  if (head === 2) return bytes[at + 1] ?? 0;
  if (head === 4) return bytes.readUInt16BE(at + 2);
  return head === 10 ? Number(bytes.readBigUInt64BE(at + 2)) : Number.NaN;
}
