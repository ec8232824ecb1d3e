import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { FrameScanner, pongFrame, textFrame } from './frames.ts';

/** The protocol of a server: bare frames, the gateway's protocol, or Socket.IO 4 over WebSocket. */
export type Dialect = 'plain' | 'gateway' | 'socket-io';

export interface Target {
  readonly port: number;
  readonly dialect: Dialect;
  readonly token: string;
}

function pathOf(dialect: Dialect, clientId: string): string {
  if (dialect === 'gateway') return `/?client_id=${clientId}`;
  return dialect === 'socket-io' ? '/socket.io/?EIO=4&transport=websocket' : '/';
}

/** Open and connect packets of Engine.IO and Socket.IO, and the heartbeat. */
const SOCKET_IO = { open: '0{', connect: '40', ping: '2', pong: '3' } as const;

type TextListener = (bytes: Buffer, start: number, end: number) => void;

/** A client connection on a bare TCP socket: generating load must cost less than serving it. */
export class LoadSocket {
  /** Called with each text frame once the handshake is complete. */
  onText: TextListener = () => {};
  private readonly socket: Socket;
  private readonly dialect: Dialect;
  private readonly scanner: FrameScanner;
  private fail: (error: Error) => void = () => {};

  private constructor(socket: Socket, dialect: Dialect) {
    this.socket = socket;
    this.dialect = dialect;
    this.scanner = new FrameScanner({
      onText: (bytes, start, end) => this.onText(bytes, start, end),
      onPing: (payload) => this.socket.write(pongFrame(payload)),
      onClose: (code) => this.fail(new Error(`the server closed a connection with ${code}`)),
    });
  }

  /** Connects, upgrades and waits until the server accepts messages. A client with a name is known after a restart. */
  static async open({ port, dialect, token }: Target, clientId: string): Promise<LoadSocket> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const load = new LoadSocket(socket, dialect);
    await new Promise<void>((resolve, reject) => {
      load.fail = reject;
      load.onText = (bytes, start, end) => load.greet(bytes.toString('latin1', start, end), resolve);
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('the server hung up')));
      socket.once('connect', () => socket.write(upgradeRequest(port, pathOf(dialect, clientId), token)));
      load.readHead(dialect === 'plain' ? resolve : () => {});
    });
    // After the handshake, a lost connection aborts the load: results with fewer clients are not comparable.
    load.fail = (error) => {
      throw error;
    };
    return load;
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  send(text: string): void {
    this.write(textFrame(text));
  }

  private readHead(onUpgraded: () => void): void {
    let head = Buffer.alloc(0);
    const take = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      if (!head.toString('latin1').startsWith('HTTP/1.1 101'))
        return this.fail(new Error(head.toString('latin1', 0, end)));
      this.socket.off('data', take);
      this.socket.on('data', (bytes: Buffer) => this.scanner.push(bytes));
      onUpgraded();
      if (head.length > end + 4) this.scanner.push(head.subarray(end + 4));
    };
    this.socket.on('data', take);
  }

  private greet(text: string, onReady: () => void): void {
    if (this.dialect === 'gateway') return onReady();
    if (text.startsWith(SOCKET_IO.open)) this.send(SOCKET_IO.connect);
    else if (text.startsWith(SOCKET_IO.connect)) onReady();
  }
}

function upgradeRequest(port: number, path: string, token: string): string {
  const key = randomBytes(16).toString('base64');
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
    `Authorization: Bearer ${token}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
