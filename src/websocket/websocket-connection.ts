import type { Duplex } from 'node:stream';
import { closeTable, type CloseName } from '../protocol/closes.js';
import type { ConnectionEvent } from '../core/connections/connection.js';
import type { ConnectionManagerService } from '../core/connections/connection-manager.service.js';
import type { FrameTypeRegistry } from '../core/connections/frame-type.registry.js';
import type { RefusalsService, RefusedRequest } from '../core/connections/refusals.service.js';
import { MAX_BUFFERED_BYTES } from '../core/delivery/frame-reader.js';
import type { Principal } from '../core/identity/principal.js';
import type { Log } from '../core/telemetry/logs.js';
import type { Clock } from '../core/time/clock.js';
import { encodeEvent } from './event-frames.js';
import { FrameDeadline } from './frame-deadline.js';
import { FrameDispatcher, type DispatchedConnection, type HandlerTable } from './frame-dispatcher.js';
import type { GatewayWebSocket, SocketOwner } from './gateway-websocket.js';
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
  readonly refusals: RefusalsService;
  readonly frameTypes: FrameTypeRegistry;
  readonly handlers: HandlerTable;
  readonly connections: ConnectionManagerService;
}

/** One WebSocket as the core sees it. Also what Nest calls the client. */
export class WebSocketConnection implements DispatchedConnection, SocketOwner {
  readonly id: string;
  readonly principal: Principal;
  readonly clientId: string;
  readonly wantsDeltas: boolean;
  readonly wantsPresence: boolean;
  /** Where the peer's frames go. */
  readonly dispatcher: FrameDispatcher;

  private readonly outbox: Outbox;
  private readonly pulse: Heartbeat;
  private deadline: FrameDeadline | undefined;
  private offences: Offences | undefined;
  private writableWaiters: (() => void)[] | undefined;
  private endListeners: (() => void)[] | undefined;
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
    this.dispatcher = new FrameDispatcher(this, services.handlers, services.frameTypes);
    socket.adopt(this, stream);
  }

  get isOpen(): boolean {
    return !this.isClosing;
  }

  get isAlive(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  get bufferedBytes(): number {
    return this.outbox.bufferedBytes;
  }

  tell(event: ConnectionEvent): void {
    if (this.isAlive) this.outbox.add(encodeEvent(event));
  }

  /** Sends one frame, already encoded. */
  send(frame: string): void {
    if (this.isAlive) this.outbox.add(frame);
  }

  whenWritable(): Promise<void> {
    if (!this.isAlive || this.isWritable) return Promise.resolve();
    return new Promise((resolve) => (this.writableWaiters ??= []).push(resolve));
  }

  refuse(error: unknown, request?: RefusedRequest): void {
    const code = this.services.refusals.refuse(this, error, request);
    if (code === 'INVALID_FRAME') this.punish(this.countOffences().noteInvalidFrame());
    else if (code === 'RATE_LIMITED') this.punish(this.countOffences().noteRateLimited(this.services.clock.now()));
  }

  noteValidFrame(): void {
    this.offences?.noteValidFrame();
  }

  pause(): void {
    this.socket.pause();
    this.deadline?.clear();
  }

  resume(): void {
    this.socket.resume();
    this.onBytes();
  }

  heartbeat(): void {
    if (!this.isAlive) return;
    const verdict = this.pulse.beat();
    if (!verdict) return;
    this.close(verdict);
    // The close frame has left if there was room for it; nobody is there to answer it.
    if (verdict === 'heartbeatLost') this.socket.terminate();
  }

  close(name: CloseName): void {
    if (this.isClosing) return;
    this.isClosing = true;
    const { code, reason } = closeTable[name];
    this.socket.close(code, reason);
    this.services.clock.setTimer(CLOSE_TIMEOUT_MS, () => this.socket.terminate());
  }

  /** Calls `listener` once when the connection has ended and its last frame has been handled. */
  addEndListener(listener: () => void): void {
    (this.endListeners ??= []).push(listener);
  }

  onMessage(data: Buffer, isBinary: boolean): void {
    this.deadline?.clear();
    if (isBinary) this.close('unsupportedData');
    else this.dispatcher.push(data);
  }

  onBytes(): void {
    if (this.socket.isPaused || (!this.deadline && !this.socket.isMidMessage)) return;
    this.deadline ??= new FrameDeadline(this.socket, this.services.clock, () => this.close('protocolError'));
    this.deadline.noteBytes();
  }

  onPing(): void {
    this.punish(this.countOffences().notePing(this.services.clock.now()));
  }

  onPong(): void {
    this.pulse.noteAnswer();
  }

  beforeClose(): void {
    this.outbox.flush();
  }

  onFailure({ code, message }: Error & { readonly code?: string }): void {
    // What a peer does wrong is its own affair: no stack, and nothing above debug.
    this.services.log.debug({ connection_id: this.id, code, reason: message }, 'the socket failed');
  }

  onEnd(): void {
    this.services.connections.remove(this);
    this.wakeWriters();
    this.dispatcher.whenIdle(() => this.endListeners?.forEach((listener) => listener()));
  }

  private countOffences(): Offences {
    return (this.offences ??= new Offences());
  }

  private punish(name: CloseName | undefined): void {
    if (name) this.close(name);
  }

  private get isWritable(): boolean {
    return this.bufferedBytes <= MAX_BUFFERED_BYTES / 2;
  }

  private wakeWriters(): void {
    if (!this.writableWaiters || (this.isAlive && !this.isWritable)) return;
    const waiters = this.writableWaiters;
    this.writableWaiters = undefined;
    for (const wake of waiters) wake();
  }
}
