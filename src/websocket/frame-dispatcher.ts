import type { MessageMappingProperties, WsResponse } from '@nestjs/websockets';
import {
  GatewayError,
  inboundTable,
  laterInboundTypes,
  outboundTable,
  type InboundEnvelope,
  type InboundType,
} from '../protocol/index.js';
import { checkPayload, decodeFrame, findFaults, salvageId } from '../protocol/codec.js';
import type { Connection } from '../core/connections/connection.js';
import type { RefusedRequest } from '../core/connections/refusals.service.js';
import type { FrameTypeRegistry } from '../core/connections/frame-type.registry.js';
import { MAX_BUFFERED_BYTES } from '../core/delivery/frame-reader.js';
import { checkScope } from '../core/identity/principal.js';

/** Frames that wait for their turn before the peer is not read any further, and when reading goes on. */
const PAUSE_ABOVE = 256;
const RESUME_BELOW = 128;

/** Texts beyond this, in UTF-16 units, are handled in steps. */
const LARGE_LENGTH = 32_768;

/** How much of an unknown type is told back. */
const MAX_ECHOED_LENGTH = 64;

/** Handles frames of one type, whosever they are. What it returns is looked at when it has resolved. */
export type FrameHandler = (connection: Connection, envelope: InboundEnvelope) => unknown;

type BoundHandler = (envelope: InboundEnvelope) => unknown;

/** Who handles which inbound type, for all connections. */
export interface HandlerTable {
  /** Handlers that are called as they are. */
  readonly direct: Map<string, FrameHandler>;
  /** Of the others, which Nest binds to each connection in the same order: their place in that order. */
  readonly places: Map<string, number>;
}

/** What the dispatcher needs of the connection whose frames it takes. */
export interface DispatchedConnection extends Connection {
  /** Whether frames of the peer still count: not after a close of ours, though after one of its own. */
  readonly isOpen: boolean;
  /** Whether anything can still be sent. */
  readonly isAlive: boolean;
  /** Stops reading from the peer until {@link resume}. */
  pause(): void;
  resume(): void;
  /** What the peer has sent was an envelope. */
  noteValidFrame(): void;
  /** Answers a frame with an `error` frame, and counts what the peer does wrong. */
  refuse(error: unknown, request?: RefusedRequest): void;
}

/**
 * Takes the frames of one connection to their handlers, strictly in the order in which they came: the next one goes
 * when the handler of the one before has resolved.
 */
export class FrameDispatcher {
  private bound: BoundHandler[] | undefined;
  private readonly waiting: Buffer[] = [];
  private holds: Promise<void>[] | undefined;
  private isStarted = false;
  private isRunning = false;
  private isReadingPaused = false;
  private idleListener: (() => void) | undefined;

  constructor(
    private readonly connection: DispatchedConnection,
    private readonly table: HandlerTable,
    private readonly types: FrameTypeRegistry,
  ) {}

  /** Whether the peer is not read, because so much of it waits already. */
  get isPaused(): boolean {
    return this.isReadingPaused;
  }

  /** Adds the handlers of one gateway class, bound to this connection. */
  bind(handlers: readonly MessageMappingProperties[]): void {
    for (const { message, callback } of handlers as readonly { message: string; callback: BoundHandler }[]) {
      if (this.table.direct.has(message)) continue;
      this.bound ??= [];
      if (!this.table.places.has(message)) this.table.places.set(message, this.bound.length);
      this.bound.push(callback);
    }
  }

  /** No frame goes to a handler before `ready` has resolved. It must not reject. */
  hold(ready: Promise<void>): void {
    (this.holds ??= []).push(ready);
  }

  /** All handlers are bound: frames may go as soon as nothing holds them, after `onReady`, which a connection that has ended meanwhile does not get. */
  async start(onReady: () => void): Promise<void> {
    await Promise.all(this.holds ?? []);
    this.holds = undefined;
    if (this.connection.isAlive) onReady();
    this.isStarted = true;
    this.run();
  }

  /** Takes one text frame. */
  push(source: Buffer): void {
    this.waiting.push(source);
    if (this.waiting.length > PAUSE_ABOVE && !this.isReadingPaused) {
      this.isReadingPaused = true;
      this.connection.pause();
    }
    if (this.isStarted && !this.isRunning) this.run();
  }

  /** Calls `listener` when every frame that came has been handled. */
  whenIdle(listener: () => void): void {
    if (this.isRunning || !this.isStarted) this.idleListener = listener;
    else listener();
  }

  private run(): void {
    this.isRunning = true;
    void this.runAll();
  }

  private async runAll(): Promise<void> {
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      const pending = this.connection.isOpen ? this.dispatch(next.toString()) : undefined;
      if (pending) await pending;
      if (this.connection.bufferedBytes > MAX_BUFFERED_BYTES) await this.connection.whenWritable();
      if (this.isReadingPaused && this.waiting.length < RESUME_BELOW) {
        this.isReadingPaused = false;
        this.connection.resume();
      }
    }
    this.isRunning = false;
    this.idleListener?.();
  }

  /** A promise only where the handler gave one: most frames are done at once. */
  private dispatch(source: string): Promise<void> | undefined {
    let envelope: InboundEnvelope | undefined;
    try {
      envelope = decodeFrame(source);
      this.connection.noteValidFrame();
      const result =
        source.length > LARGE_LENGTH ? this.handleInSteps(envelope, source) : this.handle(envelope, source);
      if (result instanceof Promise) return this.finish(result, envelope);
      this.answer(result, envelope);
    } catch (error) {
      this.connection.refuse(error, envelope ? toRequest(envelope) : salvageId(source));
    }
    return undefined;
  }

  private async finish(pending: Promise<unknown>, envelope: InboundEnvelope): Promise<void> {
    try {
      this.answer(await pending, envelope);
    } catch (error) {
      this.connection.refuse(error, toRequest(envelope));
    }
  }

  /** Has a frame handled that may be sent and whose payload is in order. */
  private handle(envelope: InboundEnvelope, source: string): unknown {
    this.check(envelope.type, envelope.payload, source);
    return this.call(envelope);
  }

  /** The same for a large frame, whose steps are long: others get their turn between them. */
  private async handleInSteps(envelope: InboundEnvelope, source: string): Promise<unknown> {
    await nextTurn();
    this.check(envelope.type, envelope.payload, source);
    await nextTurn();
    return this.call(envelope);
  }

  private call(envelope: InboundEnvelope): unknown {
    const direct = this.table.direct.get(envelope.type);
    return direct ? direct(this.connection, envelope) : this.findBound(envelope.type)?.(envelope);
  }

  private findBound(type: string): BoundHandler | undefined {
    return this.bound?.[this.table.places.get(type) ?? -1];
  }

  private check(type: string, payload: object, source: string): void {
    if (!this.table.direct.has(type) && !this.findBound(type)) throw unknownType(type);
    const { principal } = this.connection;
    if (Object.hasOwn(inboundTable, type)) {
      checkScope(principal, inboundTable[type as InboundType].scope);
      checkPayload(type as InboundType, payload, source);
      return;
    }
    if (principal.role === 'node') throw new GatewayError('FORBIDDEN', { reason: 'role node serves tools only' });
    const extension = this.types.find(type);
    checkScope(principal, extension?.scope);
    const faults = extension ? findFaults(type, extension.payload, payload, source) : [];
    if (faults.length > 0) throw new GatewayError('INVALID_PAYLOAD', { faults });
  }

  /** What a handler returns, as Nest's handlers may: `{ event, data }` becomes a frame of that type. */
  private answer(result: unknown, envelope: InboundEnvelope): void {
    if (result === undefined) return;
    const { event, data } = result as WsResponse<object>;
    const type = event as `${string}.${string}`;
    this.connection.tell({
      kind: 'extension',
      type,
      payload: data,
      requestId: envelope.id,
      sessionId: envelope.session_id,
    });
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The parts of an envelope that the refusal of its frame repeats. */
export function toRequest({ id, session_id: sessionId }: InboundEnvelope): RefusedRequest {
  return { id, sessionId };
}

function unknownType(type: string): GatewayError {
  const hint = Object.hasOwn(laterInboundTypes, type)
    ? laterInboundTypes[type]
    : Object.hasOwn(outboundTable, type)
      ? 'only the gateway sends it'
      : undefined;
  const echoed = type.slice(0, MAX_ECHOED_LENGTH).toWellFormed();
  return new GatewayError('UNKNOWN_TYPE', hint === undefined ? { type: echoed } : { type: echoed, hint });
}
