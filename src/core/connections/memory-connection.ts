import { randomUUID } from 'node:crypto';
import type { PresenceStatus } from '../../protocol/domain.js';
import type { ApprovalsService } from '../approvals/approvals.service.js';
import { MAX_BUFFERED_BYTES, type CloseReason } from '../delivery/frame-reader.js';
import type { Principal } from '../identity/principal.js';
import type {
  CancelTarget,
  IncomingMessage,
  MessageIntakeService,
  Reaction,
} from '../intake/message-intake.service.js';
import type { ResumePosition } from '../store/index.js';
import type { Connection, ConnectionEvent } from './connection.js';
import type { Clock } from '../time/clock.js';
import { Mailbox, type MailboxOwner } from './mailbox.js';
import type { ChannelStatus, ChannelStatusService } from './channel-status.service.js';
import type { HistoryEntry } from './history-page.js';
import type { ConversationReaderService } from './conversation-reader.service.js';
import type { ConversationWriterService } from './conversation-writer.service.js';
import type { RefusalsService, RefusedRequest } from './refusals.service.js';

/** The client of a {@link MemoryConnection}. */
export interface MemoryClient {
  readonly principal: Principal;
  readonly clientId: string;
  readonly wantsDeltas?: boolean;
  readonly wantsPresence?: boolean;
  /**
   * Takes one event. It counts as buffered, and the next one waits, until the promise resolves. If it throws or rejects,
   * the connection ends as `goingAway`.
   */
  take(event: ConnectionEvent): void | Promise<void>;
  /** Called when the gateway has closed the connection. */
  onClose?(reason: CloseReason): void;
}

/** The parts of the gateway that a {@link MemoryConnection} uses. */
export interface MemoryConnectionServices {
  readonly writer: ConversationWriterService;
  readonly reader: ConversationReaderService;
  readonly intake: MessageIntakeService;
  readonly refusals: RefusalsService;
  readonly approvals: ApprovalsService;
  readonly channels: ChannelStatusService;
  readonly clock: Clock;
  /** Removes a connection that has ended from the gateway. */
  forget(connection: MemoryConnection): void;
  /** Logs that a callback of the client threw. */
  noteFailure(connection: MemoryConnection, error: unknown): void;
}

/** The state of a person on a channel. */
export interface PersonStatus {
  readonly channel: string;
  readonly userId: string;
  readonly status: PresenceStatus;
}

/** The decision of a person on a tool call. */
export interface Decision {
  readonly approvalId: string;
  readonly decision: 'allow' | 'deny';
  /** The hash of the arguments that were shown; the decision applies to exactly these. */
  readonly argumentsSha256: string;
}

interface MemoryRequest extends RefusedRequest {
  readonly run: () => void | Promise<void>;
}

/** Size that an event counts for in addition to its text, in bytes. */
const EVENT_BYTES = 64;

/**
 * A connection inside the process, without socket and encoding. It gives a driver the same order, back-pressure, refusals
 * and events as any other client. Requests return as soon as they are queued; their outcomes are events.
 */
export class MemoryConnection implements Connection, MailboxOwner<MemoryRequest> {
  readonly id = randomUUID();
  readonly principal: Principal;
  readonly clientId: string;
  readonly connectedAt: number;
  readonly wantsDeltas: boolean;
  readonly wantsPresence: boolean;
  /** Bytes of events that the client has not taken yet. */
  bufferedBytes = 0;
  readonly maxBufferedBytes = MAX_BUFFERED_BYTES;

  private readonly mailbox = new Mailbox<MemoryRequest>(this);
  private readonly outgoing: ConnectionEvent[] = [];
  private isDelivering = false;
  private isOpen = true;
  /** Set when the gateway has closed the connection. */
  private closeReason: CloseReason | undefined;
  private hasLeft = false;
  private room: PromiseWithResolvers<void> | undefined;
  private readonly writableWaiters: (() => void)[] = [];

  /** See `MemoryConnectionsService.open`. */
  constructor(
    private readonly client: MemoryClient,
    private readonly services: MemoryConnectionServices,
  ) {
    this.principal = client.principal;
    this.clientId = client.clientId;
    this.connectedAt = services.clock.now();
    this.wantsDeltas = client.wantsDeltas ?? false;
    this.wantsPresence = client.wantsPresence ?? false;
    this.mailbox.start();
  }

  /** Sends a message. `accepted` or `refused` follows, then the frames of its session. */
  submit(message: IncomingMessage): void {
    const { id, sessionId } = message;
    this.request({ id, sessionId, run: () => this.services.writer.submit(this, message) });
  }

  /** Cancels messages. `refused` follows if that is not possible. */
  cancel(id: string, target: CancelTarget): void {
    this.request({ id, run: () => this.services.intake.cancel(this, target) });
  }

  /**
   * Sends a reaction. Resolves when it is stored; `refused` follows if that is not possible.
   * @throws GatewayError the refusal
   */
  react(id: string, reaction: Reaction): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.request({
      id,
      run: () => {
        const stored = this.services.intake.react(this, reaction);
        stored.then(resolve, reject);
        return stored;
      },
    });
    // The event says it too.
    promise.catch(() => {});
    return promise;
  }

  /** Records that a person is online, typing, idle or offline. `refused` follows if that is not possible. */
  updatePresence(id: string, { channel, userId, status }: PersonStatus): void {
    this.request({ id, run: () => this.services.intake.notePresence(this, channel, userId, status) });
  }

  /** Reports the state of the driver's connection to its platform, until this connection ends. */
  reportChannel(id: string, status: ChannelStatus): void {
    this.request({ id, run: () => this.services.channels.update(this, status) });
  }

  /** Decides on a tool call that waits for a person. `refused` follows if that is not possible. */
  decide(id: string, { approvalId, decision, argumentsSha256 }: Decision): void {
    const { principal, services } = this;
    this.request({
      id,
      run: () => services.approvals.decide(principal, approvalId, decision, argumentsSha256),
    });
  }

  /** Reads messages of a session, the newest or those before the message `before`. `history` or `refused` follows. */
  readHistory(id: string, sessionId: string, limit: number, before?: string): void {
    this.request({ id, sessionId, run: () => this.sendHistory(id, sessionId, limit, before) });
  }

  /**
   * Resumes sessions from the given positions, or from the cursors of the client. `resumed` or `refused` follows for each
   * session. The epoch of a position is what `Store.logEpoch` was when its frame arrived.
   */
  resume(id: string, sessions?: readonly ResumePosition[]): void {
    this.request({ id, run: () => this.services.reader.resume(this, id, sessions) });
  }

  /** Confirms the frames of a session up to `seq`. A later `resume` without cursors starts after them. */
  confirm(id: string, sessionId: string, seq: number): void {
    this.request({ id, run: () => this.services.reader.confirm(this, sessionId, seq) });
  }

  beginRequest(): number {
    return this.mailbox.begin();
  }

  endRequest(bytes: number): void {
    this.mailbox.end(bytes);
  }

  /** Resolves when few enough requests wait to send more. */
  whenReady(): Promise<void> {
    return this.room?.promise ?? Promise.resolve();
  }

  send(event: ConnectionEvent): void {
    if (!this.isOpen) return;
    this.outgoing.push(event);
    this.bufferedBytes += sizeOf(event);
    this.startDelivery();
  }

  whenWritable(): Promise<void> {
    if (!this.isOpen || this.isWritable) return Promise.resolve();
    return new Promise((resolve) => this.writableWaiters.push(resolve));
  }

  /** Does nothing: a client in this process lives as long as the gateway. */
  heartbeat(): undefined {}

  close(reason: CloseReason): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.closeReason = reason;
    this.wakeWriters();
    // The client takes nothing, so buffered events are dropped.
    if (reason === 'slowReader') this.leave();
    else this.startDelivery();
  }

  /** Ends the connection from the client's side. Earlier requests are still handled; no event follows. */
  end(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.wakeWriters();
    this.leave();
  }

  /** Requests of the process itself are trusted; their number is limited. */
  sizeOf(): number {
    return 0;
  }

  onFull(): void {
    this.room = Promise.withResolvers();
  }

  onRoom(): void {
    this.room?.resolve();
    this.room = undefined;
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

  private async sendHistory(requestId: string, sessionId: string, limit: number, before?: string): Promise<void> {
    let room = MAX_BUFFERED_BYTES;
    const takes = (entry: HistoryEntry) => {
      const isFirst = room === MAX_BUFFERED_BYTES;
      room -= sizeOfEntry(entry);
      return isFirst || room >= 0;
    };
    const page = await this.services.reader.readHistory(this, sessionId, limit, before, takes);
    this.send({ kind: 'history', requestId, page });
  }

  private request(request: MemoryRequest): void {
    if (this.isOpen) this.mailbox.push(request);
  }

  /** Delivers in a later tick, like a socket, so that the client is never called from within its own request. */
  private startDelivery(): void {
    if (this.isDelivering) return;
    this.isDelivering = true;
    setImmediate(() => void this.deliver().catch((error: unknown) => this.fail(error)));
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
    if (this.closeReason === undefined) return;
    try {
      this.client.onClose?.(this.closeReason);
    } catch (error) {
      this.services.noteFailure(this, error);
    }
  }

  /** A client that throws has lost an event: its connection ends, so that it reads on from its cursor in a new one. */
  private fail(error: unknown): void {
    this.services.noteFailure(this, error);
    this.isOpen = false;
    this.closeReason ??= 'goingAway';
    this.wakeWriters();
    this.leave();
  }

  private get isWritable(): boolean {
    return this.bufferedBytes <= this.maxBufferedBytes / 2;
  }

  private wakeWriters(): void {
    if (this.isOpen && !this.isWritable) return;
    for (const wake of this.writableWaiters.splice(0)) wake();
  }
}

/** Returns the size that an event counts for while it is buffered, in bytes: roughly that of its text on a wire. */
function sizeOf(event: ConnectionEvent): number {
  if (event.kind === 'delta') return EVENT_BYTES + event.text.length;
  if (event.kind === 'history') return event.page.entries.reduce((sum, entry) => sum + sizeOfEntry(entry), EVENT_BYTES);
  if (event.kind !== 'frames') return EVENT_BYTES;
  return event.frames.reduce((sum, frame) => sum + EVENT_BYTES + frame.payload.length, 0);
}

function sizeOfEntry(entry: HistoryEntry): number {
  return EVENT_BYTES + JSON.stringify(entry).length;
}
