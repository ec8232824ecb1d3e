import type { GatewayError } from '../../protocol/domain.js';
import type { CloseReason, FrameReader, ReadingEvent } from '../delivery/frame-reader.js';
import type { Principal } from '../identity/principal.js';
import type { PresenceState } from '../presence/presence-tracker.service.js';
import type { AcceptedMessage } from '../store/index.js';

/** A message is durable, or was so already. */
export interface AcceptedEvent {
  readonly kind: 'accepted';
  readonly requestId: string;
  /** `duplicate`: the message was accepted before. `observed`: it is kept as context and gets no reply. */
  readonly status: 'queued' | 'duplicate' | 'observed';
  readonly message: AcceptedMessage;
  /** Unix milliseconds. */
  readonly timestamp: number;
}

/** A request was refused; nothing of it was stored. */
export interface RefusedEvent {
  readonly kind: 'refused';
  /** Undefined when the request was too broken to have one. */
  readonly requestId: string | undefined;
  readonly sessionId: string | undefined;
  readonly error: GatewayError;
}

/** The gateway is shutting down; the client should come back after this time. */
export interface GoingAwayEvent {
  readonly kind: 'goingAway';
  readonly reconnectAfterMs: number;
}

/** The status of a person has changed. */
export interface PresenceEvent {
  readonly kind: 'presence';
  readonly state: PresenceState;
}

/** An event of an extension, named `vendor.name`. */
export interface ExtensionEvent {
  readonly kind: 'extension';
  readonly type: `${string}.${string}`;
  readonly payload: object;
  /** The request that it answers, if it answers one. */
  readonly requestId?: string | undefined;
  readonly sessionId?: string | undefined;
}

/** What the gateway tells a client, as a domain value. Each edge encodes it for its wire, or leaves it out. */
export type ConnectionEvent =
  | ReadingEvent
  | AcceptedEvent
  | RefusedEvent
  | GoingAwayEvent
  | PresenceEvent
  | ExtensionEvent;

/** One authenticated connection of a client, whatever its wire: the core speaks to it in events and knows no socket. */
export interface Connection extends FrameReader {
  readonly principal: Principal;
  readonly clientId: string;
  /** Whether it takes {@link PresenceEvent}s of its tenant; counts for operators only. */
  readonly wantsPresence: boolean;

  /** Sends an event. What is told in one turn of the event loop leaves in one write. An event must not change afterwards. */
  tell(event: ConnectionEvent): void;

  /** Asks the peer for a sign of life, and ends the connection when the last two requests were not answered. */
  heartbeat(): void;

  /** Ends the connection. What it was told before still leaves. Idempotent. */
  close(reason: CloseReason): void;
}
