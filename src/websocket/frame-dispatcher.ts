import type { MessageMappingProperties, WsResponse } from '@nestjs/websockets';
import {
  GatewayError,
  inboundTable,
  outboundTable,
  type InboundEnvelope,
  type InboundType,
} from '../protocol/index.js';
import { checkFrame, checkPayload, parseFrame, salvageId } from '../protocol/codec.js';
import { findFaults } from '../protocol/faults.js';
import type { Connection } from '../core/connections/connection.js';
import type { FrameTypeRegistry } from '../core/connections/frame-type.registry.js';
import type { RefusedRequest } from '../core/connections/refusals.service.js';
import { checkScope } from '../core/identity/principal.js';

/** Frames longer than this, in UTF-16 units, are handled in steps. */
const LARGE_LENGTH = 32_768;

/** Maximum length of an unknown type in its error, in UTF-16 units. */
const MAX_ECHOED_LENGTH = 64;

/** The connection that a frame came from. */
export interface DispatchedConnection extends Connection {
  /** Handlers of extensions that Nest has bound to the connection. Owned by the {@link FrameDispatcher}. */
  bound: readonly BoundHandler[] | undefined;
  /** Notes that a frame of the peer was a valid envelope. */
  noteValidFrame(): void;
  /** Sends an `error` frame for a frame, and counts violations of the peer. */
  refuse(error: unknown, request?: RefusedRequest): void;
}

/** Handles frames of one type for any connection. Its return value is awaited. */
export type FrameHandler = (connection: DispatchedConnection, envelope: InboundEnvelope) => unknown;

/** A handler that Nest has bound to one connection. */
export type BoundHandler = (envelope: InboundEnvelope) => unknown;

/** Decodes the frames of all connections, checks them and calls their handlers. */
export class FrameDispatcher {
  /** Handlers that are called without Nest's pipeline. */
  private readonly direct = new Map<string, FrameHandler>();
  /** For handlers bound per connection: their index in Nest's binding order, the same for every connection. */
  private readonly indexes = new Map<string, number>();

  constructor(private readonly types: FrameTypeRegistry) {}

  /** Adds a handler of `type` that is called without Nest's pipeline. */
  addDirect(type: string, handler: FrameHandler): void {
    this.direct.set(type, handler);
  }

  /** Adds the handlers of one gateway class that Nest has bound to `connection`. */
  bind(connection: DispatchedConnection, handlers: readonly MessageMappingProperties[]): void {
    for (const { message, callback } of handlers as readonly { message: string; callback: BoundHandler }[]) {
      if (this.direct.has(message)) continue;
      const { bound } = connection;
      if (!this.indexes.has(message)) this.indexes.set(message, bound?.length ?? 0);
      // Neither `push` nor a spread, which reserve room for sixteen more in each connection.
      connection.bound = bound ? bound.concat(callback) : [callback];
    }
  }

  /** Handles one frame. Returns a promise only if it is large or the handler is asynchronous. Never rejects. */
  dispatch(connection: DispatchedConnection, source: string): Promise<void> | undefined {
    if (source.length > LARGE_LENGTH) return this.dispatchInSteps(connection, source);
    let envelope: InboundEnvelope | undefined;
    try {
      envelope = this.accept(connection, parseFrame(source), source);
      const result = this.check(connection, envelope, source)(connection, envelope);
      if (result instanceof Promise) return this.finish(connection, envelope, result);
      respond(connection, envelope, result);
    } catch (error) {
      connection.refuse(error, envelope ? toRequest(envelope) : salvageId(source));
    }
    return undefined;
  }

  /** Yields between the steps of a large frame, so that frames of other connections are handled meanwhile. */
  private async dispatchInSteps(connection: DispatchedConnection, source: string): Promise<void> {
    let envelope: InboundEnvelope | undefined;
    try {
      const frame = parseFrame(source);
      await nextTick();
      envelope = this.accept(connection, frame, source);
      await nextTick();
      const handler = this.check(connection, envelope, source);
      await nextTick();
      respond(connection, envelope, await handler(connection, envelope));
    } catch (error) {
      connection.refuse(error, envelope ? toRequest(envelope) : salvageId(source));
    }
  }

  private async finish(
    connection: DispatchedConnection,
    envelope: InboundEnvelope,
    pending: Promise<unknown>,
  ): Promise<void> {
    try {
      respond(connection, envelope, await pending);
    } catch (error) {
      connection.refuse(error, toRequest(envelope));
    }
  }

  private accept(connection: DispatchedConnection, frame: unknown, source: string): InboundEnvelope {
    const envelope = checkFrame(frame, source);
    connection.noteValidFrame();
    return envelope;
  }

  private resolve({ bound }: DispatchedConnection, type: string): FrameHandler | undefined {
    const direct = this.direct.get(type);
    if (direct) return direct;
    const handler = bound?.[this.indexes.get(type) ?? -1];
    return handler && ((_connection, envelope) => handler(envelope));
  }

  /** Checks type, scope and payload of a frame. Returns its handler. */
  private check(connection: DispatchedConnection, { type, payload }: InboundEnvelope, source: string): FrameHandler {
    const handler = this.resolve(connection, type);
    if (!handler) throw unknownType(type);
    const { principal } = connection;
    if (Object.hasOwn(inboundTable, type)) {
      checkScope(principal, inboundTable[type as InboundType].scope);
      checkPayload(type as InboundType, payload, source);
      return handler;
    }
    if (principal.role === 'node') throw new GatewayError('FORBIDDEN', { reason: 'role node serves tools only' });
    const extension = this.types.find(type);
    checkScope(principal, extension?.scope);
    const faults = extension ? findFaults(extension.payload, payload, source) : [];
    if (faults.length > 0) throw new GatewayError('INVALID_PAYLOAD', { faults });
    return handler;
  }
}

/** Sends the result of a handler as Nest does: `{ event, data }` becomes a frame of that type. */
function respond(connection: DispatchedConnection, envelope: InboundEnvelope, result: unknown): void {
  if (result === undefined) return;
  const { event, data } = result as WsResponse<object>;
  const { id: requestId, session_id: sessionId } = envelope;
  connection.send({ kind: 'extension', type: event as `${string}.${string}`, payload: data, requestId, sessionId });
}

/** Returns the parts of an envelope that the refusal of its frame repeats. */
export function toRequest({ id, session_id: sessionId }: InboundEnvelope): RefusedRequest {
  return { id, sessionId };
}

function nextTick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function unknownType(type: string): GatewayError {
  const hint = Object.hasOwn(outboundTable, type) ? 'only the gateway sends it' : undefined;
  const echoed = type.slice(0, MAX_ECHOED_LENGTH).toWellFormed();
  return new GatewayError('UNKNOWN_TYPE', hint === undefined ? { type: echoed } : { type: echoed, hint });
}
