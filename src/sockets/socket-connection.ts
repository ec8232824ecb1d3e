import type { Duplex } from 'node:stream';
import { freeBytes } from '../core/cache/free-bytes.js';
import type { Connection, ConnectionEvent } from '../core/connections/connection.js';
import type { ConnectionManagerService } from '../core/connections/connection-manager.service.js';
import { Mailbox, type MailboxOwner } from '../core/connections/mailbox.js';
import type { RefusalsService, RefusedRequest } from '../core/connections/refusals.service.js';
import { MAX_BUFFERED_BYTES } from '../core/delivery/frame-reader.js';
import type { Principal } from '../core/identity/principal.js';
import { FREE_BYTES, type Holding, type MemoryBudgetService } from '../core/limits/memory-budget.service.js';
import type { Log } from '../core/telemetry/logs.js';
import type { CancelTimer, Clock } from '../core/time/clock.js';
import type { CloseTable, SocketCloseReason } from './close-table.js';
import { Conduct } from './conduct.js';
import type { EncodedFrames } from './frame-bytes.js';
import { FrameDeadline } from './frame-deadline.js';
import type { GatewayWebSocket, SocketOwner } from './gateway-websocket.js';
import { Heartbeat } from './heartbeat.js';
import { Outbox, type OutboxOwner } from './outbox.js';
import type { ConnectParameters } from './upgrade-request.js';

/** Time for a peer to confirm a close before its socket is destroyed, in milliseconds. */
export const CLOSE_TIMEOUT_MS = 5_000;

/** Size of what a peer may send after the gateway has begun to close, in bytes. Above it the socket is destroyed. */
const MAX_LATE_BYTES = 262_144;

/** The memory of frames of at least this size is freed at once, in bytes. Smaller ones share a buffer. */
const LARGE_FRAME_BYTES = 65_536;

/** The services that every connection uses. */
export interface ConnectionServices {
  readonly clock: Clock;
  readonly log: Log;
  readonly refusals: RefusalsService;
  readonly connections: ConnectionManagerService;
  readonly budget: MemoryBudgetService;
}

/** An accepted socket with its client. */
export interface SocketLine {
  readonly id: string;
  readonly principal: Principal;
  readonly parameters: ConnectParameters & { readonly clientId: string };
  readonly socket: GatewayWebSocket;
  /** The TCP or TLS stream of `socket`. */
  readonly stream: Duplex;
  readonly closes: CloseTable;
  readonly services: ConnectionServices;
}

/** A WebSocket as a connection of the core. Each wire has a subclass that reads and writes its frames. */
export abstract class SocketConnection implements Connection, SocketOwner, OutboxOwner, MailboxOwner<Buffer> {
  readonly id: string;
  readonly principal: Principal;
  readonly clientId: string;
  readonly connectedAt: number;
  readonly wantsDeltas: boolean;
  readonly wantsPresence: boolean;

  private readonly socket: GatewayWebSocket;
  private readonly closes: CloseTable;
  private readonly services: ConnectionServices;
  private readonly mailbox: Mailbox<Buffer>;
  private readonly outbox: Outbox;
  private readonly pulse: Heartbeat;
  /** The account of this connection's memory; undefined until it had more than {@link FREE_BYTES}. */
  private holding: Holding | undefined;
  private conduct: Conduct | undefined;
  private deadline: FrameDeadline | undefined;
  private writableWaiters: (() => void)[] | undefined;
  private endListeners: (() => void)[] | undefined;
  private isClosing = false;
  private cancelTermination: CancelTimer | undefined;
  private lateBytes = 0;

  constructor({ id, principal, parameters, socket, stream, closes, services }: SocketLine) {
    this.id = id;
    this.principal = principal;
    this.clientId = parameters.clientId;
    this.connectedAt = services.clock.now();
    this.wantsDeltas = parameters.wantsDeltas;
    this.wantsPresence = parameters.wantsPresence;
    this.socket = socket;
    this.closes = closes;
    this.services = services;
    this.mailbox = new Mailbox(this);
    this.outbox = new Outbox(stream, this);
    this.pulse = new Heartbeat(socket, this.outbox, services.clock);
    socket.adopt(this, stream);
  }

  /** Encodes an event as one or several frames. Returns undefined if the wire has no such frame. */
  protected abstract encode(event: ConnectionEvent): EncodedFrames | undefined;

  /** Handles the text of one frame. The next one waits for the promise. Must not throw or reject. */
  protected abstract receive(text: string): void | Promise<void>;

  /** True while frames can be sent. */
  get isAlive(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  get bufferedBytes(): number {
    return this.outbox.bufferedBytes;
  }

  get maxBufferedBytes(): number {
    return Math.min(MAX_BUFFERED_BYTES, this.shareBytes);
  }

  send(event: ConnectionEvent): void {
    if (!this.isAlive) return;
    const encoded = this.encode(event);
    if (typeof encoded === 'string' || Buffer.isBuffer(encoded)) this.write(encoded);
    else for (const text of encoded ?? []) this.write(text);
  }

  /** Sends an encoded frame. */
  sendFrame(frame: string): void {
    if (this.isAlive) this.write(frame);
  }

  whenWritable(): Promise<void> {
    if (!this.isAlive || this.isWritable) return Promise.resolve();
    return new Promise((resolve) => (this.writableWaiters ??= []).push(resolve));
  }

  /** Registers the connection, unless it has ended, and starts to handle frames. */
  start(): void {
    if (this.isAlive) this.services.connections.register(this);
    this.mailbox.start();
  }

  /** Sends an error for a frame, and counts violations of the peer. */
  refuse(error: unknown, request?: RefusedRequest): void {
    const code = this.services.refusals.refuse(this, error, request);
    if (code === 'INVALID_FRAME' || code === 'RATE_LIMITED') this.getConduct().noteRefusal(code);
  }

  /** Notes that a frame of the peer was well-formed. */
  noteValidFrame(): void {
    this.conduct?.noteValidFrame();
  }

  handle(frame: Buffer): void | Promise<void> {
    // Frames that arrived before the peer closed are handled, those before our own close are not.
    if (this.isClosing) return;
    const text = frame.toString();
    if (frame.byteLength >= LARGE_FRAME_BYTES) freeBytes(frame);
    if (this.holding) this.count();
    return this.receive(text);
  }

  sizeOf(frame: Buffer): number {
    return frame.byteLength;
  }

  beginRequest(): number {
    return this.mailbox.begin();
  }

  endRequest(bytes: number): void {
    this.mailbox.end(bytes);
    if (this.holding) this.count();
  }

  onFull(): void {
    this.socket.pause();
    this.deadline?.clear();
  }

  onRoom(): void {
    this.socket.resume();
    this.onBytes();
  }

  heartbeat(): 'slowReader' | undefined {
    if (!this.isAlive) return undefined;
    const verdict = this.pulse.beat();
    if (verdict !== 'heartbeatLost') return verdict;
    this.endNow(verdict);
    return undefined;
  }

  close(name: SocketCloseReason): void {
    if (this.isClosing) return;
    this.isClosing = true;
    const { code, reason } = this.closes[name];
    this.socket.close(code, reason);
    this.cancelTermination = this.services.clock.setTimer(CLOSE_TIMEOUT_MS, () => this.socket.terminate());
  }

  /** Adds a callback for the end of the connection, called after its last frame has been handled. */
  addEndListener(listener: () => void): void {
    (this.endListeners ??= []).push(listener);
  }

  onMessage(data: Buffer, isBinary: boolean): void {
    this.deadline?.clear();
    if (isBinary) return this.close('unsupportedData');
    this.mailbox.push(data);
    this.count();
  }

  onBytes(size = 0): void {
    if (this.socket.readyState === this.socket.CLOSING) return this.noteLate(size);
    if (this.socket.isPaused || (!this.deadline && !this.socket.isMidMessage)) return;
    this.deadline ??= new FrameDeadline(this.socket, this.services.clock, () => this.close('protocolError'));
    this.deadline.noteBytes();
    this.count();
    if (this.socket.unfinishedBytes > this.shareBytes) this.endNow('overloaded');
  }

  onPing(): void {
    this.getConduct().notePing();
  }

  onPong(): void {
    this.pulse.notePong();
  }

  describeClose(reason: SocketCloseReason): { readonly code: number; readonly reason: string } {
    return this.closes[reason];
  }

  beforeClose(): void {
    this.outbox.flush();
  }

  onFailure({ code, message }: Error & { readonly code?: string }): void {
    // A fault of the peer: logged without a stack, at debug level.
    this.services.log.debug({ connection_id: this.id, code, reason: message }, 'the socket failed');
  }

  onTaken(): void {
    this.count();
    this.wakeWriters();
  }

  onEnd(): void {
    this.services.connections.remove(this);
    this.cancelTermination?.();
    this.deadline?.end();
    this.socket.freeUnfinished();
    this.wakeWriters();
    this.mailbox.whenIdle(() => {
      this.holding?.release();
      this.endListeners?.forEach((listener) => listener());
    });
  }

  private getConduct(): Conduct {
    return (this.conduct ??= new Conduct(this.services.clock, (reason) => this.close(reason)));
  }

  /** Bytes that are read and dropped cost memory until they are collected. */
  private noteLate(size: number): void {
    this.lateBytes += size;
    if (this.lateBytes > MAX_LATE_BYTES) this.socket.terminate();
  }

  /** Closes without waiting for the peer. The close frame has left if there was room for it. */
  private endNow(name: SocketCloseReason): void {
    this.close(name);
    this.socket.terminate();
  }

  private write(encoded: string | Buffer): void {
    this.outbox.add(encoded);
    this.count();
  }

  /** Updates what this connection holds. */
  private count(): void {
    const held = this.outbox.bufferedBytes + this.mailbox.heldBytes + this.socket.unfinishedBytes;
    if (held > FREE_BYTES && this.isAlive)
      this.holding ??= this.services.budget.open('connection', this.principal.tenant);
    this.holding?.set(held);
  }

  private get shareBytes(): number {
    return this.services.budget.shareOf(this.principal.tenant);
  }

  private get isWritable(): boolean {
    return this.bufferedBytes <= this.maxBufferedBytes / 2;
  }

  private wakeWriters(): void {
    if (!this.writableWaiters || (this.isAlive && !this.isWritable)) return;
    const waiters = this.writableWaiters;
    this.writableWaiters = undefined;
    for (const wake of waiters) wake();
  }
}
