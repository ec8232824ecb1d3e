import { randomUUID } from 'node:crypto';
import { MAX_BUFFERED_BYTES, type CloseReason } from '../delivery/frame-reader.js';
import type { Principal } from '../identity/principal.js';
import type {
  CancelTarget,
  IncomingMessage,
  MessageIntakeService,
  Reaction,
} from '../intake/message-intake.service.js';
import type { SessionCursor } from '../store/index.js';
import type { Connection, ConnectionEvent } from './connection.js';
import { Mailbox, type MailboxOwner } from './mailbox.js';
import type { ConversationReaderService } from './conversation-reader.service.js';
import type { ConversationWriterService } from './conversation-writer.service.js';
import type { RefusalsService, RefusedRequest } from './refusals.service.js';

/** The client at the other end of a {@link MemoryConnection}. */
export interface MemoryClient {
  readonly principal: Principal;
  readonly clientId: string;
  readonly wantsDeltas?: boolean;
  readonly wantsPresence?: boolean;
  /** Takes one event; the next one follows when the promise has resolved. Until then it counts as buffered. Must not reject. */
  take(event: ConnectionEvent): void | Promise<void>;
  /** The gateway has ended the connection. */
  onClose?(reason: CloseReason): void;
}

/** The parts of the gateway that a {@link MemoryConnection} uses. */
export interface MemoryConnectionServices {
  readonly writer: ConversationWriterService;
  readonly reader: ConversationReaderService;
  readonly intake: MessageIntakeService;
  readonly refusals: RefusalsService;
  /** Clears away what the gateway holds for a connection that has ended. */
  forget(connection: MemoryConnection): void;
}

interface MemoryRequest extends RefusedRequest {
  readonly run: () => void | Promise<void>;
}

/** Bytes that an event counts for, beside its text. */
const EVENT_BYTES = 64;

/**
 * A connection inside the process, without socket and encoding: a driver is a client of the gateway like any other, with
 * the same order, back-pressure, refusals and events. Requests return when they have their place in the order; their
 * outcomes are events.
 */
export class MemoryConnection implements Connection, MailboxOwner<MemoryRequest> {
  readonly id = randomUUID();
  readonly principal: Principal;
  readonly clientId: string;
  readonly wantsDeltas: boolean;
  readonly wantsPresence: boolean;
  /** Bytes of events that the client has not taken yet. */
  bufferedBytes = 0;

  private readonly mailbox = new Mailbox<MemoryRequest>(this);
  private readonly outgoing: ConnectionEvent[] = [];
  private isDelivering = false;
  private isOpen = true;
  /** Set when the gateway has closed the connection. */
  private closeReason: CloseReason | undefined;
  private hasLeft = false;
  private roomAgain: PromiseWithResolvers<void> | undefined;
  private readonly writableWaiters: (() => void)[] = [];

  /** See `MemoryConnectionsService.open`. */
  constructor(
    private readonly client: MemoryClient,
    private readonly services: MemoryConnectionServices,
  ) {
    this.principal = client.principal;
    this.clientId = client.clientId;
    this.wantsDeltas = client.wantsDeltas ?? false;
    this.wantsPresence = client.wantsPresence ?? false;
    this.mailbox.start();
  }

  /** Sends a message. `accepted` or `refused` follows, then the frames of its session. */
  submit(message: IncomingMessage): void {
    const { id, sessionId } = message;
    this.request({ id, sessionId, run: () => this.services.writer.submit(this, message) });
  }

  /** Cancels messages; `refused` follows where that is not possible. */
  cancel(id: string, target: CancelTarget): void {
    this.request({ id, run: () => this.services.intake.cancel(this, target) });
  }

  /** Sends a reaction; `refused` follows where that is not possible. */
  react(id: string, reaction: Reaction): void {
    this.request({ id, run: () => this.services.intake.react(this, reaction) });
  }

  /** Reads on from the given places, or from the client's cursors. One `resumed` or `refused` follows for each session. */
  resume(id: string, sessions?: readonly SessionCursor[]): void {
    this.request({ id, run: () => this.services.reader.resume(this, id, sessions) });
  }

  /** Confirms the frames of a session up to `seq`: a later `resume` begins after them. */
  confirm(id: string, sessionId: string, seq: number): void {
    this.request({ id, sessionId, run: () => this.services.reader.confirm(this, sessionId, seq) });
  }

  /** Resolves when requests may be sent without more than a few hundred of them waiting. */
  whenReady(): Promise<void> {
    return this.roomAgain?.promise ?? Promise.resolve();
  }

  tell(event: ConnectionEvent): void {
    if (!this.isOpen) return;
    this.outgoing.push(event);
    this.bufferedBytes += sizeOf(event);
    this.startDelivery();
  }

  whenWritable(): Promise<void> {
    if (!this.isOpen || this.isWritable) return Promise.resolve();
    return new Promise((resolve) => this.writableWaiters.push(resolve));
  }

  /** Does nothing: a client in this process is alive as long as the gateway. */
  heartbeat(): undefined {}

  close(reason: CloseReason): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.closeReason = reason;
    this.wakeWriters();
    // The client takes nothing: what it was told does not leave.
    if (reason === 'slowReader') this.leave();
    else this.startDelivery();
  }

  /** Ends the connection from the client's side. Requests that were made still count; no event follows. */
  end(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.wakeWriters();
    this.leave();
  }

  onFull(): void {
    this.roomAgain = Promise.withResolvers();
  }

  onRoom(): void {
    this.roomAgain?.resolve();
    this.roomAgain = undefined;
  }

  handle({ run, ...request }: MemoryRequest): void | Promise<void> {
    if (this.closeReason !== undefined) return;
    const refuse = (error: unknown) => void this.services.refusals.refuse(this, error, request);
    try {
      return run()?.catch(refuse);
    } catch (error) {
      refuse(error);
    }
  }

  private request(request: MemoryRequest): void {
    if (this.isOpen) this.mailbox.push(request);
  }

  /** In a later turn of the event loop, as from a socket: the client is never called by its own request. */
  private startDelivery(): void {
    if (this.isDelivering) return;
    this.isDelivering = true;
    setImmediate(() => void this.deliver());
  }

  private async deliver(): Promise<void> {
    for (let event = this.outgoing.shift(); event !== undefined; event = this.outgoing.shift()) {
      const taken = this.client.take(event);
      if (taken) await taken;
      this.bufferedBytes -= sizeOf(event);
      this.wakeWriters();
    }
    this.isDelivering = false;
    if (this.closeReason !== undefined) this.leave();
  }

  private leave(): void {
    if (this.hasLeft) return;
    this.hasLeft = true;
    this.outgoing.length = 0;
    this.mailbox.whenIdle(() => this.services.forget(this));
    if (this.closeReason !== undefined) this.client.onClose?.(this.closeReason);
  }

  private get isWritable(): boolean {
    return this.bufferedBytes <= MAX_BUFFERED_BYTES / 2;
  }

  private wakeWriters(): void {
    if (this.isOpen && !this.isWritable) return;
    for (const wake of this.writableWaiters.splice(0)) wake();
  }
}

/** What an event counts for while it is buffered, in bytes: about its text on a wire. */
function sizeOf(event: ConnectionEvent): number {
  if (event.kind === 'delta') return EVENT_BYTES + event.text.length;
  if (event.kind !== 'frames') return EVENT_BYTES;
  return event.frames.reduce((sum, frame) => sum + EVENT_BYTES + frame.payload.length, 0);
}
