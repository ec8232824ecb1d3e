import { PassThrough, Writable } from 'node:stream';
import { FakeSockets } from './fake-socket.js';

/** An output stream of a fake terminal. It records everything written to it. */
class FakeOutput extends Writable {
  text = '';
  readonly columns = 100;

  constructor(
    readonly isTTY: boolean,
    private readonly onText: () => void,
  ) {
    super({ decodeStrings: false });
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    this.onText();
    done();
  }
}

/** The terminal, environment and network of a command under test. */
export class FakeTerminal {
  readonly stdin: PassThrough & { isTTY: boolean };
  readonly stdout: FakeOutput;
  readonly stderr: FakeOutput;
  readonly sockets = new FakeSockets();
  readonly WebSocket = this.sockets.WebSocket;
  readonly user = 'alice';
  readonly host = 'laptop';
  /** The local token of a gateway in open mode on this machine. */
  localToken: string | undefined;
  readonly readLocalToken = () => this.localToken;
  /** The HTTP requests that were made. */
  readonly requests: Request[] = [];
  /** Handles HTTP requests. By default every connection is refused. */
  answer: (request: Request) => Response = () => {
    throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) });
  };
  readonly #waiting = new Set<() => void>();
  #interrupted: (() => void) | undefined;

  constructor(
    readonly env: Readonly<Record<string, string>> = {},
    isTTY = false,
  ) {
    this.stdin = Object.assign(new PassThrough(), { isTTY });
    this.stdout = new FakeOutput(isTTY, () => this.changed());
    this.stderr = new FakeOutput(isTTY, () => this.changed());
  }

  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    this.requests.push(request);
    return this.answer(request);
  };

  onInterrupt(listener: () => void): () => void {
    this.#interrupted = listener;
    return () => (this.#interrupted = undefined);
  }

  /** Presses Ctrl-C. */
  interrupt(): void {
    this.#interrupted?.();
  }

  type(text: string): void {
    this.stdin.write(text);
  }

  /** Resolves with the first value of `condition` that is neither undefined nor false, evaluated again after every write. */
  async until<T>(condition: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = condition();
      if (found !== undefined && found !== false) return found;
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        setImmediate(resolve);
      });
    }
  }

  private changed(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
