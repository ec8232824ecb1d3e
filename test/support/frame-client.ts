import { WebSocket, type ClientOptions } from 'ws';

/** A frame as a client sees it. */
export interface SeenFrame {
  readonly type: string;
  readonly id: string;
  readonly timestamp: number;
  readonly session_id?: string;
  readonly seq?: number;
  readonly correlation_id?: string;
  readonly payload: Record<string, unknown>;
}

export interface Ending {
  readonly code: number;
  readonly reason: string;
}

let frames = 0;

/** A well-behaved client for tests that sends and receives frames. */
export class FrameClient {
  /** Received frames that were not read yet. */
  readonly unread: SeenFrame[] = [];
  readonly ended: Promise<Ending>;
  private ending: Ending | undefined;
  private readonly waiting: (() => void)[] = [];

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.unread.push(JSON.parse(data.toString()) as SeenFrame);
      this.wake();
    });
    socket.on('error', () => {});
    this.ended = new Promise((resolve) =>
      socket.once('close', (code, reason) => {
        this.ending = { code, reason: reason.toString() };
        resolve(this.ending);
        this.wake();
      }),
    );
  }

  /** Connects. Rejects with the HTTP status when the upgrade is refused. `query` starts with `?` unless it is empty. */
  static async open(
    port: number,
    query = '',
    options: ClientOptions & { protocols?: string[] } = {},
  ): Promise<FrameClient> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/${query}`, options.protocols ?? [], options);
    // Created before the socket opens: the first frame may arrive with the response to the upgrade.
    const client = new FrameClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('unexpected-response', (request, response) => {
        request.destroy();
        reject(new Error(`HTTP ${response.statusCode}`));
      });
      socket.once('error', reject);
    });
    return client;
  }

  /** Sends a frame and returns its id. */
  send(type: string, payload: object = {}, changes: object = {}): string {
    const frame = { type, id: `frame-${++frames}`, timestamp: Date.now(), payload, ...changes };
    this.socket.send(JSON.stringify(frame));
    return frame.id;
  }

  /** Resolves with the next frame that fits. Earlier frames stay unread. */
  async next(fits: string | ((frame: SeenFrame) => boolean)): Promise<SeenFrame> {
    const test = typeof fits === 'string' ? (frame: SeenFrame) => frame.type === fits : fits;
    for (;;) {
      const at = this.unread.findIndex(test);
      if (at !== -1) return this.unread.splice(at, 1)[0]!;
      if (this.ending) throw new Error(`the connection ended with ${this.ending.code} ${this.ending.reason}`);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** Resolves with the response to the frame with this id. */
  async answerTo(id: string): Promise<SeenFrame> {
    return this.next((frame) => frame.correlation_id === id);
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.ended;
  }
}
