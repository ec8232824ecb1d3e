import type { GatewayError } from '../../protocol/domain.js';
import type { CloseReason, FrameReader, ReadingEvent } from '../delivery/frame-reader.js';
import type { Principal } from '../identity/principal.js';
import type { PresenceState } from '../presence/presence-tracker.service.js';
import type { AcceptedMessage } from '../store/index.js';
import type { HistoryPage } from './history-page.js';
import type { NodeNotice } from './node-notice.js';

/** A message is stored durably, or was stored before. */
export interface AcceptedEvent {
  readonly kind: 'accepted';
  readonly requestId: string;
  /** `duplicate`: the message was accepted before. `observed`: it is stored as context and gets no reply. */
  readonly status: 'queued' | 'duplicate' | 'observed';
  readonly message: AcceptedMessage;
  /** Unix milliseconds. */
  readonly timestamp: number;
}

/** A request was refused; nothing of it was stored. */
export interface RefusedEvent {
  readonly kind: 'refused';
  /** Undefined when the request was too malformed to have one. */
  readonly requestId: string | undefined;
  readonly sessionId: string | undefined;
  readonly error: GatewayError;
}

/** The gateway is shutting down. The client should reconnect after this time. */
export interface GoingAwayEvent {
  readonly kind: 'goingAway';
  readonly reconnectAfterMs: number;
}

/** The status of a person has changed. */
export interface PresenceEvent {
  readonly kind: 'presence';
  readonly state: PresenceState;
}

/** A page of the history that the client requested. */
export interface HistoryEvent {
  readonly kind: 'history';
  readonly requestId: string;
  readonly page: HistoryPage;
}

/** An event of an extension, named `vendor.name`. */
export interface ExtensionEvent {
  readonly kind: 'extension';
  readonly type: `${string}.${string}`;
  readonly payload: object;
  /** The id of the request that the event responds to, if there is one. */
  readonly requestId?: string | undefined;
  readonly sessionId?: string | undefined;
}

/** An event for a client, as a domain value. Each edge encodes it for its wire, or ignores it. */
export type ConnectionEvent =
  | ReadingEvent
  | AcceptedEvent
  | RefusedEvent
  | GoingAwayEvent
  | PresenceEvent
  | HistoryEvent
  | NodeNotice
  | ExtensionEvent;

/** An authenticated connection of a client, independent of its wire: the core sends it events and knows no socket. */
export interface Connection extends FrameReader {
  readonly principal: Principal;
  readonly clientId: string;
  /** When it was opened, in Unix milliseconds. */
  readonly connectedAt: number;
  /** True if the client wants {@link PresenceEvent}s of its tenant. Only operators get them. */
  readonly wantsPresence: boolean;

  /**
   * Notes that the current request continues after its handler has returned: until {@link endRequest} it counts as held
   * by the connection. Returns its size in bytes.
   */
  beginRequest(): number;

  /** @param bytes what {@link beginRequest} returned */
  endRequest(bytes: number): void;

  /** Sends an event, which must not change afterwards. All events of one tick leave in one write. */
  send(event: ConnectionEvent): void;

  /**
   * Asks the peer for a sign of life, and ends the connection when the last two requests were not answered. Returns
   * `slowReader` when the peer has taken nothing for too long; the caller closes the connection then.
   */
  heartbeat(): 'slowReader' | undefined;

  /** Ends the connection. Events that were sent before still leave. Idempotent. */
  close(reason: CloseReason): void;
}
