/** A frame sent by a client under test. */
export interface SentFrame {
  readonly type: string;
  readonly id: string;
  readonly session_id?: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

interface SocketEvent {
  readonly data: unknown;
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket without a network. The test acts as the gateway. */
export class FakeSocket {
  readonly sent: SentFrame[] = [];
  /** True if the client has closed it. */
  isClosed = false;
  readonly #listeners = new Map<string, (event: SocketEvent) => void>();

  constructor(
    readonly url: string,
    readonly protocols: readonly string[],
  ) {}

  addEventListener(type: string, listener: (event: SocketEvent) => void): void {
    this.#listeners.set(type, listener);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as SentFrame);
  }

  close(): void {
    this.isClosed = true;
  }

  /** Returns the sent frames of one type, oldest first. */
  sentOf(type: string): readonly SentFrame[] {
    return this.sent.filter((frame) => frame.type === type);
  }

  /** Delivers any frame to the client. */
  deliver(frame: object): void {
    const data = JSON.stringify({ id: 'gateway-frame', timestamp: 0, ...frame });
    this.#listeners.get('message')?.({ data, code: 0, reason: '' });
  }

  /** Delivers the first frame, `connected`, to the client. */
  deliverConnected(changes: object = {}): void {
    const server = { version: '1.0.0', replica_id: 'r', epoch: 'e1' };
    const limits = { max_frame_bytes: 262_144, max_queued_per_session: 100 };
    const payload = { client_id: 'client-1', protocol: 1, server, limits, heartbeat_interval_ms: 30_000, ...changes };
    this.deliver({ type: 'connected', payload });
  }

  /** Ends the connection as the gateway or the network would. 1006 stands for a lost connection. */
  drop(code = 1006, reason = ''): void {
    this.#listeners.get('close')?.({ data: undefined, code, reason });
  }
}

/** The sockets that a client under test opens, and the constructor to pass to it. */
export class FakeSockets {
  readonly opened: FakeSocket[] = [];

  readonly WebSocket: new (url: string, protocols: string[]) => FakeSocket = ((opened: FakeSocket[]) =>
    class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        opened.push(this);
      }
    })(this.opened);

  /** The latest socket. */
  get last(): FakeSocket {
    const socket = this.opened.at(-1);
    if (!socket) throw new Error('No socket was opened');
    return socket;
  }
}
