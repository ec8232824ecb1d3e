import { GatewayClient } from '../client/client.js';
import type { GatewayClientOptions } from '../client/options.js';
import type { ReplyEvent } from '../client/reply-events.js';
import type { Reply } from '../client/reply.js';
import { FakeSockets, type FakeSocket } from './fake-socket.js';
import { ManualClock } from './manual-clock.js';

export const HELLO = { channel: 'test', sender: 'alice', content: 'hello' };

/** A client on fake sockets and a manual clock. Its messages are in session `s1`; a message `ID` has the ref `m-ID`. */
export class ClientHarness {
  readonly clock = new ManualClock();
  readonly sockets = new FakeSockets();
  client = this.makeClient();

  makeClient(changes: Partial<GatewayClientOptions> = {}): GatewayClient {
    const timers = {
      now: () => this.clock.now(),
      setTimer: (ms: number, run: () => void) => this.clock.setTimer(ms, run),
      random: () => 1,
    };
    const { WebSocket } = this.sockets;
    return new GatewayClient({ url: 'http://127.0.0.1:18789', clientId: 'client-1', WebSocket, timers, ...changes });
  }

  connect(client = this.client): FakeSocket {
    void client.connect();
    this.sockets.last.deliverConnected();
    return this.sockets.last;
  }

  /** Drops the connection and lets the client reconnect. */
  reconnect(): FakeSocket {
    this.sockets.last.drop();
    this.clock.advance(500);
    this.sockets.last.deliverConnected();
    return this.sockets.last;
  }

  /** Sends a message that the gateway accepts at once. */
  sendAccepted(socket: FakeSocket, id: string): Reply {
    const reply = this.client.send(HELLO, { id });
    acknowledge(socket, id, `m-${id}`);
    return reply;
  }

  /** Connects, and sends the message `a`, which the gateway accepts at once. */
  startReply(): { readonly socket: FakeSocket; readonly reply: Reply } {
    const socket = this.connect();
    return { socket, reply: this.sendAccepted(socket, 'a') };
  }
}

export function acknowledge(socket: FakeSocket, id: string, ref: string, changes: object = {}): void {
  const payload = { id, message_ref: ref, status: 'queued', mode: 'main', priority: 1, position: 0, ...changes };
  socket.deliver({ type: 'message_ack', session_id: 's1', correlation_id: id, payload });
}

export function block(id: string, seq: number, index: number, content = `block ${index}`) {
  const payload = {
    message_id: id,
    message_ref: `m-${id}`,
    attempt: 1,
    index,
    block_id: `${id}-${seq}`,
    block_type: 'text',
    content,
  };
  return { type: 'stream_block', session_id: 's1', seq, correlation_id: id, payload };
}

export function delta(id: string, blockId: string, text: string) {
  const payload = { message_id: id, message_ref: `m-${id}`, block_id: blockId, block_type: 'text', delta: text };
  return { type: 'stream_delta', session_id: 's1', payload };
}

export function restart(id: string, seq: number, replacesFromSeq: number) {
  const payload = { message_id: id, message_ref: `m-${id}`, attempt: 2, replaces_from_seq: replacesFromSeq };
  return { type: 'stream_restart', session_id: 's1', seq, correlation_id: id, payload };
}

export function end(id: string, seq: number, changes: object = {}) {
  const payload = { id, message_ref: `m-${id}`, reason: 'stop', blocks: 3, ...changes };
  return { type: 'stream_end', session_id: 's1', seq, correlation_id: id, payload };
}

export function resumed(fromSeq: number, headSeq: number, changes: object = {}) {
  const payload = { session_id: 's1', from_seq: fromSeq, head_seq: headSeq, complete: true, ...changes };
  return { type: 'resumed', session_id: 's1', payload };
}

export function refusal(id: string, code: string, changes: object = {}) {
  return {
    type: 'error',
    correlation_id: id,
    payload: { code, message: `refused: ${code}`, retryable: false, ...changes },
  };
}

export async function readAll(reply: Reply): Promise<ReplyEvent[]> {
  const events: ReplyEvent[] = [];
  for await (const event of reply) events.push(event);
  return events;
}

export async function contents(reply: Reply): Promise<string[]> {
  return (await reply.blocks()).map(({ content }) => content);
}
