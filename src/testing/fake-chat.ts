import type { FakeSocket, SentFrame } from './fake-socket.js';
import type { FakeTerminal } from './fake-terminal.js';

/** Runs a command line in a terminal. Resolves with the exit code. */
type RunCommand = (args: readonly string[], terminal: FakeTerminal) => Promise<number>;

const CONNECTED = { server: { version: '1.2.3', epoch: 'e1' }, heartbeat_interval_ms: 30_000 };

/** The gateway's side of `openclaw chat`: waits for the frames of the command and responds to them. */
export class FakeChat {
  readonly exitCode: Promise<number>;
  #seq = 0;

  /** Runs the command by `run`, the entry of the command line. */
  constructor(
    readonly terminal: FakeTerminal,
    args: readonly string[],
    run: RunCommand,
  ) {
    this.exitCode = run(['chat', ...args], terminal);
  }

  get socket(): FakeSocket {
    return this.terminal.sockets.last;
  }

  /** Accepts the next connection. */
  async connect(changes: object = {}): Promise<void> {
    const before = this.terminal.sockets.opened.filter((socket) => socket.sent.length > 0).length;
    await this.terminal.until(() => this.terminal.sockets.opened.length > before);
    this.socket.deliverConnected({ ...CONNECTED, ...changes });
  }

  /** Waits for the nth message of the connection and accepts it. */
  async accept(nth = 1): Promise<SentFrame> {
    const message = await this.terminal.until(() => this.socket.sentOf('message_in')[nth - 1]);
    const payload = {
      id: message.id,
      message_ref: `m-${message.id}`,
      status: 'queued',
      mode: 'main',
      priority: 1,
      position: 0,
    };
    this.socket.deliver({ type: 'message_ack', session_id: 's1', correlation_id: message.id, payload });
    return message;
  }

  delta({ id }: { readonly id: string }, blockId: string, text: string): void {
    const payload = { message_id: id, message_ref: `m-${id}`, block_id: blockId, block_type: 'text', delta: text };
    this.socket.deliver({ type: 'stream_delta', session_id: 's1', payload });
  }

  block(message: { readonly id: string }, index: number, content: string, changes: object = {}): void {
    const payload = { block_id: `b${this.#seq}`, block_type: 'text', content, index, attempt: 1, ...changes };
    this.#durable('stream_block', message, payload);
  }

  tool(message: { readonly id: string }, status: string, changes: object = {}): void {
    this.#durable('tool_status', message, { call_id: 'c1', tool: 'time.now', status, ...changes });
  }

  restart(message: { readonly id: string }, replacesFromSeq: number): void {
    this.#durable('stream_restart', message, { attempt: 2, replaces_from_seq: replacesFromSeq });
  }

  end(message: { readonly id: string }, changes: object = {}): void {
    this.#durable('stream_end', message, { id: message.id, reason: 'stop', blocks: 100, ...changes });
  }

  #durable(type: string, { id }: { readonly id: string }, payload: object): void {
    this.#seq++;
    const names = { message_id: id, message_ref: `m-${id}` };
    this.socket.deliver({
      type,
      session_id: 's1',
      seq: this.#seq,
      correlation_id: id,
      payload: { ...names, ...payload },
    });
  }
}
