import type { Duplex } from 'node:stream';
import { closeTable, type CloseName } from '../protocol/closes.js';
import type { Connection } from '../core/connections/connection.js';
import { MAX_BUFFERED_BYTES, type FrameBurst } from '../core/delivery/frame-reader.js';
import type { Principal } from '../core/identity/principal.js';
import type { Log } from '../core/telemetry/logs.js';
import type { Clock } from '../core/time/clock.js';
import type { AnsweredEnvelope, ErrorFrames } from './error-frames.js';
import { frameBurst } from './frame-bytes.js';
import { FrameDeadline } from './frame-deadline.js';
import type { GatewayWebSocket } from './gateway-websocket.js';
import { Heartbeat } from './heartbeat.js';
import { Offences } from './offences.js';
import { Outbox } from './outbox.js';

/** How long a peer may take to answer a close before its socket is destroyed. */
export const CLOSE_TIMEOUT_MS = 5_000;

/** Who connected, and what for. */
export interface ConnectionIdentity {
  readonly id: string;
  readonly principal: Principal;
  readonly clientId: string;
  readonly wantsDeltas: boolean;
  readonly wantsPresence: boolean;
}

/** What every connection needs of the gateway. */
export interface ConnectionServices {
  readonly clock: Clock;
  readonly log: Log;
  readonly errorFrames: ErrorFrames;
}

/** One WebSocket as the core sees it. Also what Nest calls the client. */
export class WebSocketConnection implements Connection {
  readonly id: string;
  readonly principal: Principal;
  readonly clientId: string;
  readonly wantsDeltas: boolean;
  readonly wantsPresence: boolean;

  private readonly outbox: Outbox;
  private readonly pulse: Heartbeat;
  private readonly deadline: FrameDeadline;
  private readonly offences = new Offences();
  private writableWaiters: (() => void)[] = [];
  private isClosing = false;

  /** `stream` is the socket under `socket`. */
  constructor(
    identity: ConnectionIdentity,
    private readonly socket: GatewayWebSocket,
    stream: Duplex,
    private readonly services: ConnectionServices,
  ) {
    this.id = identity.id;
    this.principal = identity.principal;
    this.clientId = identity.clientId;
    this.wantsDeltas = identity.wantsDeltas;
    this.wantsPresence = identity.wantsPresence;
    this.outbox = new Outbox(stream, () => this.wakeWriters());
    this.pulse = new Heartbeat(socket, this.outbox, services.clock);
    this.deadline = new FrameDeadline(socket, services.clock, () => this.end('protocolError'));
    socket.beforeClose = () => this.outbox.flush();
    socket.on('ping', () => this.punish(this.offences.notePing(services.clock.now())));
    socket.on('error', (error: Error & { code?: string }) => {
      // What a peer does wrong is its own affair: no stack, and nothing above debug.
      services.log.debug({ connection_id: this.id, code: error.code, reason: error.message }, 'the socket failed');
    });
    socket.on('close', () => this.wakeWriters());
    stream.on('data', () => this.deadline.noteBytes());
  }

  /** Whether frames of the peer still count: not after a close of ours, though after one of its own. */
  get isOpen(): boolean {
    return !this.isClosing;
  }

  /** Whether anything can still be sent. */
  get isAlive(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  get bufferedBytes(): number {
    return this.outbox.bufferedBytes;
  }

  send(frame: string): void {
    if (this.isAlive) this.outbox.addText(frame);
  }

  sendBurst(burst: FrameBurst): void {
    if (this.isAlive) this.outbox.addBytes(frameBurst(burst));
  }

  whenWritable(): Promise<void> {
    if (!this.isAlive || this.isWritable) return Promise.resolve();
    return new Promise((resolve) => this.writableWaiters.push(resolve));
  }

  /** Answers a frame with an `error` frame, and counts what the peer does wrong. */
  refuse(error: unknown, envelope?: AnsweredEnvelope): void {
    const { code, frame } = this.services.errorFrames.encodeWithCode(error, envelope);
    this.send(frame);
    if (code === 'INVALID_FRAME') this.punish(this.offences.noteInvalidFrame());
    else if (code === 'RATE_LIMITED') this.punish(this.offences.noteRateLimited(this.services.clock.now()));
  }

  /** The peer has sent a whole message. */
  noteMessage(): void {
    this.deadline.noteMessage();
  }

  /** The message was an envelope. */
  noteValidFrame(): void {
    this.offences.noteValidFrame();
  }

  /** Stops reading from the peer until {@link resume}. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
    this.deadline.restart();
  }

  heartbeat(): void {
    if (!this.isAlive) return;
    const verdict = this.pulse.beat();
    if (verdict === 'heartbeatLost') this.end(verdict);
    else if (verdict) this.close(verdict);
  }

  close(name: CloseName): void {
    if (this.isClosing) return;
    this.isClosing = true;
    const { code, reason } = closeTable[name];
    this.socket.close(code, reason);
    this.services.clock.setTimer(CLOSE_TIMEOUT_MS, () => this.socket.terminate());
  }

  /** Tells `listener` once when the connection has ended. */
  onClose(listener: () => void): void {
    this.socket.once('close', listener);
  }

  /** Ends it without waiting for the peer's answer: the close frame leaves if there is room for it. */
  private end(name: CloseName): void {
    this.close(name);
    this.socket.terminate();
  }

  private punish(name: CloseName | undefined): void {
    if (name) this.close(name);
  }

  private get isWritable(): boolean {
    return this.bufferedBytes <= MAX_BUFFERED_BYTES / 2;
  }

  private wakeWriters(): void {
    if (this.writableWaiters.length === 0 || (this.isAlive && !this.isWritable)) return;
    for (const wake of this.writableWaiters.splice(0)) wake();
  }
}
