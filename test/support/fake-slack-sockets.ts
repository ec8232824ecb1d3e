import { once } from 'node:events';
import type { Server } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';

/** An event that is not acknowledged comes again after this time, in milliseconds. */
const RETRY_MS = 400;

interface Pending {
  readonly id: string;
  readonly type: string;
  readonly payload: object;
  attempts: number;
  sentAt: number;
}

/** Socket Mode of the made-up workspace: it deals events to connections, and again while they are not acknowledged. */
export class FakeSlackSockets {
  /** The IDs of the events that were acknowledged, in order. */
  readonly acknowledged: string[] = [];
  /** Number of connections of other programs with the token of the app. */
  others = 0;
  /** The first frame of the next connection, in place of a greeting. */
  nextGreeting: object | 'close' | undefined;
  private readonly server: WebSocketServer;
  private readonly open = new Set<WebSocket>();
  private pending: Pending[] = [];
  private count = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(http: Server) {
    this.server = new WebSocketServer({ server: http, path: '/socket' });
    this.server.on('connection', (socket) => this.greet(socket));
    this.timer = setInterval(() => this.retry(), RETRY_MS / 2);
    this.timer.unref();
  }

  get connections(): number {
    return this.open.size;
  }

  /** Number of events that were not acknowledged. */
  get waiting(): number {
    return this.pending.length;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    for (const socket of this.server.clients) socket.terminate();
    this.server.close();
    await once(this.server, 'close');
  }

  deliver(type: string, payload: object): void {
    const event = { id: `envelope-${++this.count}`, type, payload, attempts: 0, sentAt: 0 };
    this.pending.push(event);
    this.send(event);
  }

  /** Sends a frame to every connection. */
  say(frame: unknown): void {
    for (const socket of this.open) socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** Breaks all connections, without a word. */
  drop(): void {
    for (const socket of this.open) socket.terminate();
  }

  private greet(socket: WebSocket): void {
    const greeting = this.nextGreeting;
    this.nextGreeting = undefined;
    if (greeting === 'close') return socket.terminate();
    this.open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.open.delete(socket));
    socket.on('message', (data: Buffer) => this.acknowledge(data));
    const hello = { type: 'hello', num_connections: this.open.size + this.others };
    socket.send(JSON.stringify(greeting ?? hello));
    for (const event of this.pending) this.send(event);
  }

  private acknowledge(data: Buffer): void {
    const { envelope_id: id } = JSON.parse(data.toString()) as { readonly envelope_id: string };
    this.acknowledged.push(id);
    this.pending = this.pending.filter((event) => event.id !== id);
  }

  /** Each event goes to one connection: the newest. */
  private send(event: Pending): void {
    const socket = [...this.open].at(-1);
    if (!socket) return;
    const { id, type, payload, attempts } = event;
    const retry = attempts > 0 ? { retry_attempt: attempts, retry_reason: 'timeout' } : {};
    socket.send(JSON.stringify({ envelope_id: id, type, payload, accepts_response_payload: false, ...retry }));
    event.attempts++;
    event.sentAt = Date.now();
  }

  private retry(): void {
    for (const event of this.pending) if (Date.now() - event.sentAt > RETRY_MS) this.send(event);
  }
}
