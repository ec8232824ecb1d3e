import { DriverError } from '../../core/channels/driver.js';
import { toRaw, toText, type Raw } from '../../core/channels/kit/raw.js';
import type { Log } from '../../core/telemetry/logs.js';
import type { Clock } from '../../core/time/clock.js';
import { JsonSocket } from '../platform/json-socket.js';
import type { WebApi } from './web-api.js';

/** Pause between two pings, in milliseconds. */
const PING_MS = 15_000;
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
  readonly fail: (error: unknown) => void;
  /** Called with how many connections Slack has of the app besides those of this driver. */
  readonly noteOthers: (count: number) => void;
}

/**
 * A connection to Slack. When Slack announces its end, another is opened before this one is closed, so that no event is
 * lost between them. One that is lost unannounced is not opened again: that is for the next run.
 */
export class SocketMode {
  /** The connections that are open: two while one replaces the other. */
  private readonly sockets = new Set<JsonSocket>();
  private newest: JsonSocket | undefined;
  /** Events are taken in their order. */
  private last = Promise.resolve();

  constructor(private readonly options: SocketModeOptions) {
    options.signal.addEventListener('abort', () => this.end(), { once: true });
  }

  /** Opens a connection. Resolves when events are received. @throws DriverError, DeliveryError */
  async open(): Promise<void> {
    const { api, appToken, signal, clock, log } = this.options;
    const { url } = await api.call('apps.connections.open', {}, appToken);
    signal.throwIfAborted();
    const greeted = Promise.withResolvers<void>();
    const receive = (message: unknown) => this.receive(socket, toRaw(message), greeted.resolve);
    const socket = new JsonSocket(toText(url) ?? '', { clock, log, maxPayload: MAX_FRAME_BYTES, receive });
    socket.keepAlive(PING_MS);
    this.sockets.add(socket);
    void this.watch(socket, greeted.reject);
    await greeted.promise;
    const before = this.newest;
    this.newest = socket;
    // Events that Slack has sent on the old connection are taken and acknowledged before it closes.
    before?.close(1000);
  }

  /** Waits for the end of a connection. Never rejects. */
  private async watch(socket: JsonSocket, reject: (error: Error) => void): Promise<void> {
    await socket.closed;
    this.sockets.delete(socket);
    const lost = new DriverError('unreachable', 'the connection to Slack is lost');
    reject(lost);
    if (this.newest === socket && !this.options.signal.aborted) this.options.fail(lost);
  }

  /** Resolves when the connections are closed. */
  async close(): Promise<void> {
    const closed = [...this.sockets].map((socket) => socket.closed);
    this.end();
    await Promise.all(closed);
  }

  private end(): void {
    for (const socket of this.sockets) socket.close(1000);
  }

  private receive(socket: JsonSocket, frame: Raw, greet: () => void): void {
    if (frame['type'] === 'hello') {
      socket.noteReady();
      greet();
      this.options.noteOthers(Math.max(0, Number(frame['num_connections'] ?? 0) - this.sockets.size));
    } else if (frame['type'] === 'disconnect') void this.replace(socket, toText(frame['reason']) ?? '');
    else this.last = this.last.then(() => this.take(socket, frame));
  }

  /** Takes one event. Never rejects. */
  private async take(socket: JsonSocket, frame: Raw): Promise<void> {
    const id = toText(frame['envelope_id']);
    const { signal, log, take } = this.options;
    if (id === undefined || signal.aborted) return;
    try {
      await take(toRaw(frame['payload']));
      // Without an acknowledgement Slack delivers again, which is harmless.
      socket.send({ envelope_id: id });
    } catch (error) {
      log.warn({ error }, 'an event of Slack could not be taken; Slack delivers it again');
    }
  }

  /** Opens a connection in place of one that Slack is going to end. Never rejects. */
  private async replace(socket: JsonSocket, reason: string): Promise<void> {
    const { signal, fail } = this.options;
    if (reason === 'link_disabled') return fail(new DriverError('misconfigured', 'Socket Mode of the app is off'));
    if (socket !== this.newest || signal.aborted) return;
    await this.open().catch((error: unknown) => {
      if (!signal.aborted) fail(error);
    });
  }
}
