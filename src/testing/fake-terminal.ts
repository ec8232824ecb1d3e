import { PassThrough, Writable } from 'node:stream';
import { FakeSockets } from './fake-socket.js';

/** One of a fake terminal's outputs: it remembers what was written. */
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

/** A person, or a script, before the command line; and the network behind it. */
export class FakeTerminal {
  readonly stdin: PassThrough & { isTTY: boolean };
  readonly stdout: FakeOutput;
  readonly stderr: FakeOutput;
  readonly sockets = new FakeSockets();
  readonly WebSocket = this.sockets.WebSocket;
  readonly user = 'alice';
  readonly host = 'laptop';
  /** The requests made by HTTP. */
  readonly requests: Request[] = [];
  /** Answers them; by default nobody is there. */
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

  /** Ctrl-C. */
  interrupt(): void {
    this.#interrupted?.();
  }

  type(text: string): void {
    this.stdin.write(text);
  }

  /** Resolves as soon as `condition` answers something; it is asked again whenever anything was written. */
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
