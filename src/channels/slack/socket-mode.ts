import { WebSocket } from 'ws';
import { DriverError } from '../../core/channels/driver.js';
import { toFault } from '../../core/channels/faults.js';
import type { Log } from '../../core/telemetry/logs.js';
import type { Clock } from '../../core/time/clock.js';
import { findEgressAgent } from '../../http/egress-fetch.js';
import { toRaw, toText, type Raw } from '../../core/channels/raw.js';
import type { WebApi } from './web-api.js';

/** Pause between two pings; a connection that has not answered one by the next is dead, in milliseconds. */
const PING_MS = 15_000;
/** Time limit of the first word of Slack on a connection, in milliseconds. */
const HELLO_TIMEOUT_MS = 20_000;
/** Largest frame of Slack, in bytes. */
const MAX_FRAME_BYTES = 4_194_304;

/** The parts of a {@link SocketMode}. */
export interface SocketModeOptions {
  readonly api: WebApi;
  readonly appToken: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when nothing new should be taken. */
  readonly signal: AbortSignal;
  /** Resolves when the event is stored or ignored: it is acknowledged then, and not when it rejects. */
  readonly take: (envelope: Raw) => Promise<void>;
  /** Called when the connection is lost, and another could not be opened before. */
  readonly fail: (error: DriverError) => void;
  /** Called with how many connections Slack has of the app besides those of this driver. */
  readonly noteOthers: (count: number) => void;
}

/**
 * A connection to Slack. When Slack announces its end, another is opened before this one is closed, so that nothing is
 * delivered to neither. One that is lost unannounced is not opened again: that is for the next run.
 */
export class SocketMode {
  /** The connections that are open, each with its end: two while one replaces the other. */
  private readonly sockets = new Map<WebSocket, Promise<void>>();
  private newest: WebSocket | undefined;

  constructor(private readonly options: SocketModeOptions) {
    options.signal.addEventListener('abort', () => this.end(), { once: true });
  }

  /** Resolves when events are received. @throws DriverError */
  async start(): Promise<void> {
    await this.open();
  }

  /** Resolves when the connections are closed. */
  async close(): Promise<void> {
    this.end();
    await Promise.all(this.sockets.values());
  }

  private end(): void {
    for (const socket of this.sockets.keys()) socket.close(1000);
  }

  private async open(): Promise<void> {
    const { api, appToken, signal } = this.options;
    const { url } = await api.call('apps.connections.open', {}, appToken).catch((error: unknown) => {
      throw toFault(error);
    });
    signal.throwIfAborted();
    const address = new URL(toText(url) ?? '');
    const agent = findEgressAgent(address.href);
    const socket = new WebSocket(address, { ...(agent && { agent }), maxPayload: MAX_FRAME_BYTES });
    const before = this.newest;
    const closed = Promise.withResolvers<void>();
    const hello = Promise.withResolvers<void>();
    this.sockets.set(socket, closed.promise);
    this.watch(socket);
    this.listen(socket, hello.resolve);
    socket.on('error', (error) => this.options.log.warn({ error }, 'a connection to Slack has failed'));
    socket.once('close', () => {
      this.sockets.delete(socket);
      closed.resolve();
      const lost = new DriverError('unreachable', 'the connection to Slack is lost');
      hello.reject(lost);
      if (this.newest === socket && !signal.aborted) this.options.fail(lost);
    });
    await hello.promise;
    this.newest = socket;
    // What Slack has sent on the old one is taken and acknowledged before it closes.
    before?.close(1000);
  }

  /** Terminates a connection whose other end does not answer. */
  private watch(socket: WebSocket): void {
    let isAlive = true;
    socket.on('pong', () => (isAlive = true));
    const stop = this.options.clock.setRepeating(PING_MS, () => {
      if (!isAlive) return socket.terminate();
      isAlive = false;
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    });
    const cancel = this.options.clock.setTimer(HELLO_TIMEOUT_MS, () => {
      if (this.newest !== socket) socket.terminate();
    });
    socket.once('close', () => {
      stop();
      cancel();
    });
  }

  private listen(socket: WebSocket, greet: () => void): void {
    /** Events are taken in their order. */
    let last = Promise.resolve();
    socket.on('message', (data: Buffer) => {
      const frame = parse(data);
      if (frame['type'] === 'hello') {
        greet();
        this.options.noteOthers(Math.max(0, Number(frame['num_connections'] ?? 0) - this.sockets.size));
      } else if (frame['type'] === 'disconnect') void this.replace(socket, toText(frame['reason']) ?? '');
      else last = last.then(() => this.take(socket, frame));
    });
  }

  /** Takes one event. Never rejects. */
  private async take(socket: WebSocket, frame: Raw): Promise<void> {
    const id = toText(frame['envelope_id']);
    const { signal, log, take } = this.options;
    if (id === undefined || signal.aborted) return;
    try {
      await take(toRaw(frame['payload']));
      // Without an acknowledgement Slack delivers again, which is harmless.
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ envelope_id: id }), () => {});
    } catch (error) {
      log.warn({ error }, 'an event of Slack could not be taken; Slack delivers it again');
    }
  }

  /** Opens a connection in place of one that Slack is going to end. Never rejects. */
  private async replace(socket: WebSocket, reason: string): Promise<void> {
    const { signal, fail } = this.options;
    if (reason === 'link_disabled') return fail(new DriverError('misconfigured', 'Socket Mode of the app is off'));
    if (socket !== this.newest || signal.aborted) return;
    await this.open().catch((error: unknown) => {
      if (!signal.aborted) fail(toFault(error));
    });
  }
}

function parse(data: Buffer): Raw {
  try {
    return toRaw(JSON.parse(data.toString()));
  } catch {
    return {};
  }
}
