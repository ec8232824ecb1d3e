import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** A frame as received. */
export interface RawFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The head of an HTTP response, and the body received until the socket ended. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Deviations of a frame from a valid one of a client. */
export interface FrameOptions {
  readonly final?: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** The value of the length field, if it differs from the length. */
  readonly claimedLength?: bigint;
}

/** Encodes one frame as a client sends it: masked by default. */
export function rawFrame(opcode: number, payload: Buffer | string, options: FrameOptions = {}): Buffer {
  const { final = true, reserved = 0, masked = true } = options;
  const body = Buffer.from(payload);
  const length = options.claimedLength ?? BigInt(body.length);
  const head = Buffer.alloc(10);
  head[0] = (final ? 0x80 : 0) | (reserved << 4) | opcode;
  let size = 2;
  if (length < 126n) head[1] = Number(length);
  else if (length < 65_536n) {
    head[1] = 126;
    size = head.writeUInt16BE(Number(length), 2);
  } else {
    head[1] = 127;
    size = head.writeBigUInt64BE(length, 2);
  }
  if (!masked) return Buffer.concat([head.subarray(0, size), body]);
  head[1] |= 0x80;
  const key = randomBytes(4);
  return Buffer.concat([head.subarray(0, size), key, body.map((byte, i) => byte ^ key[i % 4]!)]);
}

/** Encodes a close frame. */
export function rawClose(code: number, reason = ''): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code, 0);
  payload.write(reason, 2);
  return rawFrame(OPCODES.close, payload);
}

/** The lines of a valid upgrade request. An override of undefined omits the line. */
export function upgradeLines(
  port: number,
  path = '/',
  overrides: Readonly<Record<string, string | undefined>> = {},
): string[] {
  const headers: Record<string, string | undefined> = {
    Host: `127.0.0.1:${port}`,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    ...overrides,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return [`GET ${path} HTTP/1.1`, ...lines];
}

/** A TCP connection on which a test can send any bytes. */
export class RawSocket {
  private chunks: Buffer[] = [];
  private hasEnded = false;
  private wake: (() => void) | undefined;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.wake?.();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.hasEnded = true;
      this.wake?.();
    });
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<RawSocket> {
    const socket = connect({ port, host, noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawSocket(socket);
  }

  /** Connects, sends an upgrade request and reads its 101. */
  static async upgrade(
    port: number,
    path = '/',
    overrides: Readonly<Record<string, string | undefined>> = {},
  ): Promise<RawSocket> {
    const raw = await RawSocket.connect(port);
    raw.sendLines(upgradeLines(port, path, overrides));
    const { status } = await raw.readHead();
    if (status !== 101) throw new Error(`the upgrade was answered with ${status}`);
    return raw;
  }

  send(bytes: Buffer | string): void {
    this.socket.write(bytes);
  }

  /** Sends lines, followed by the empty line that ends a head. */
  sendLines(lines: readonly string[]): void {
    this.send(`${lines.join('\r\n')}\r\n\r\n`);
  }

  /** Reads the next HTTP head. */
  async readHead(): Promise<Omit<RawAnswer, 'body'>> {
    const end = await this.until(() => this.buffered.indexOf('\r\n\r\n'));
    const [first = '', ...lines] = this.take(end + 4)
      .toString()
      .trimEnd()
      .split('\r\n');
    const headers = lines.map(
      (line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()] as const,
    );
    return { status: Number(first.split(' ')[1]), headers: new Map(headers) };
  }

  /** Reads the next HTTP response of a server that closes the connection after it. */
  async readAnswer(): Promise<RawAnswer> {
    const head = await this.readHead();
    await this.ended();
    return { ...head, body: this.take(this.buffered.length).toString() };
  }

  /** Reads the next frame of the server. */
  async readFrame(): Promise<RawFrame> {
    const head = await this.until(() => this.findFrame());
    const [opcode, start, end] = head;
    const payload = Buffer.from(this.buffered.subarray(start, end));
    this.take(end);
    return { opcode, payload };
  }

  /** Reads up to the next close frame and returns its code and reason. */
  async readClose(): Promise<{ code: number; reason: string }> {
    for (;;) {
      const { opcode, payload } = await this.readFrame();
      if (opcode === OPCODES.close) return { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
    }
  }

  /** Resolves when the server has ended the connection. */
  async ended(): Promise<void> {
    await this.until(() => (this.hasEnded ? 1 : -1));
  }

  destroy(): void {
    this.socket.destroy();
  }

  private findFrame(): -1 | [opcode: number, start: number, end: number] {
    const bytes = this.buffered;
    if (bytes.length < 2) return -1;
    let length = bytes[1]! & 0x7f;
    let start = 2;
    if (length === 126) {
      if (bytes.length < 4) return -1;
      length = bytes.readUInt16BE(2);
      start = 4;
    } else if (length === 127) {
      if (bytes.length < 10) return -1;
      length = Number(bytes.readBigUInt64BE(2));
      start = 10;
    }
    return bytes.length < start + length ? -1 : [bytes[0]! & 0x0f, start, start + length];
  }

  /** The bytes that were received and not taken. They are joined when they are read: joining at each chunk takes a minute for 32 MiB. */
  private get buffered(): Buffer {
    const [only = Buffer.alloc(0), ...more] = this.chunks;
    if (more.length > 0) this.chunks = [Buffer.concat(this.chunks)];
    return this.chunks[0] ?? only;
  }

  private take(length: number): Buffer {
    const all = this.buffered;
    this.chunks = [all.subarray(length)];
    return all.subarray(0, length);
  }

  /** Waits for more bytes until `look` returns something other than -1. */
  private async until<T>(look: () => T | -1): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== -1) return found;
      if (this.hasEnded)
        throw new Error(`the connection ended; unread: ${this.buffered.toString('latin1').slice(0, 200)}`);
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}
