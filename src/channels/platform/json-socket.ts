import { WebSocket } from 'ws';
import type { Log } from '../../core/telemetry/logs.js';
import type { Clock } from '../../core/time/clock.js';
import { findEgressAgent } from '../../http/egress/egress-fetch.js';
import { parseJson } from './bodies.js';

/** Time limit from the call to {@link JsonSocket.noteReady}, in milliseconds. */
const OPEN_TIMEOUT_MS = 20_000;
/** Time limit of an orderly close, in milliseconds. */
const CLOSE_TIMEOUT_MS = 2_000;

/** The parts of a {@link JsonSocket}. */
export interface JsonSocketOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** A larger message ends the connection, in bytes. */
  readonly maxPayload: number;
  /** Called with each message; with undefined for one that is not JSON. */
  readonly receive: (message: unknown) => void;
}

/** A connection to a platform over a WebSocket, whose messages are JSON. It is opened once. */
export class JsonSocket {
  /** Resolves with the code of the close. */
  readonly closed: Promise<number>;
  private readonly socket: WebSocket;
  private isReady = false;
  private isAlive = true;
  private cancelBeat = () => {};

  constructor(
    url: string,
    private readonly options: JsonSocketOptions,
  ) {
    const { clock, log, maxPayload, receive } = options;
    const agent = findEgressAgent(url);
    const socket = new WebSocket(url, { ...(agent && { agent }), handshakeTimeout: OPEN_TIMEOUT_MS, maxPayload });
    this.socket = socket;
    const closed = Promise.withResolvers<number>();
    this.closed = closed.promise;
    const cancelTimeout = clock.setTimer(OPEN_TIMEOUT_MS, () => {
      if (!this.isReady) this.end();
    });
    socket.on('error', (error) => log.warn({ error }, 'a connection to a platform has failed'));
    socket.on('pong', () => this.noteAlive());
    socket.on('message', (data: Buffer) => receive(parseJson(data.toString())));
    socket.once('close', (code) => {
      cancelTimeout();
      this.cancelBeat();
      closed.resolve(code);
    });
  }

  /** Notes that the platform has accepted the connection. Without it the connection ends after 20 s. */
  noteReady(): void {
    this.isReady = true;
  }

  /** Sends a message; nothing unless the connection is open. */
  send(message: object): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message), () => {});
  }

  /**
   * Sends a heartbeat again and again. A connection that has not answered one by the next is ended.
   * @param beat sends one; by default a ping of the WebSocket
   */
  keepAlive(periodMs: number, firstMs = periodMs, beat = () => this.ping()): void {
    this.cancelBeat = this.options.clock.setTimer(firstMs, () => {
      if (!this.isAlive) return this.end();
      this.isAlive = false;
      beat();
      this.keepAlive(periodMs, periodMs, beat);
    });
  }

  /** Notes that the platform has answered a heartbeat. */
  noteAlive(): void {
    this.isAlive = true;
  }

  /** Closes the connection, and ends it when the platform does not close its side in time. */
  close(code: number): void {
    if (this.socket.readyState !== WebSocket.OPEN) return this.end();
    this.cancelBeat();
    this.socket.close(code);
    this.cancelBeat = this.options.clock.setTimer(CLOSE_TIMEOUT_MS, () => this.end());
  }

  /** Ends the connection without the platform. */
  end(): void {
    this.socket.terminate();
  }

  private ping(): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.ping();
  }
}
