import { BEARER_SUBPROTOCOL_PREFIX, SUBPROTOCOL, TOKEN_PATTERN } from '../protocol/constants.js';
import type { ConnectedPayload, InboundType, OutboundFrame } from '../protocol/index.js';
import { ConnectionEndedError, MessageTooLargeError } from './errors.js';
import { countBytes, encodeInbound, newId, type PayloadOf } from './frames.js';
import { Link, type Loss, type SocketConstructor } from './link.js';
import { Backoff, isFinal } from './reconnect.js';
import type { Timers } from './timers.js';

/**
 * The state of a client's connection. `waiting`: the last attempt failed or the connection was lost (`loss`), and the
 * next attempt follows in `retryInMs` milliseconds. `ended`: permanently closed, see {@link ConnectionEndedError};
 * `connect()` starts over.
 */
export type ConnectionState =
  | { readonly name: 'idle' }
  | { readonly name: 'connecting' }
  | { readonly name: 'connected'; readonly connected: ConnectedPayload }
  | { readonly name: 'waiting'; readonly loss: Loss; readonly retryInMs: number }
  | { readonly name: 'ended'; readonly error: ConnectionEndedError };

/** Callbacks of a {@link ReconnectingLink}, called in this order for each link: connected, frames, lost. */
export interface ConnectionEvents {
  state(state: ConnectionState): void;
  connected(): void;
  frame(frame: OutboundFrame): void;
  lost(): void;
  ended(error: ConnectionEndedError): void;
}

/** Sends frames while there is a connection. */
export interface Transmitter {
  /** Returns false without a connection: the caller then resends after `connected` what must not be lost. */
  send(text: string): boolean;
  /**
   * Returns the error for a frame that can never be sent: ConnectionEndedError after the end, MessageTooLargeError when
   * the gateway would close the connection because of its size.
   */
  refusal(text: string): Error | undefined;
  /** Checks that the connection is alive, and reconnects if not. Does nothing without one. */
  probe(): void;
}

/** The gateway's address and the client's identity. */
export interface Target {
  readonly url: string;
  readonly clientId: string;
  readonly token: string | undefined;
  readonly deltas: boolean;
  readonly presence: boolean;
}

/** Keeps one link open: opens the next when it is lost, until it is closed or another attempt would be useless. */
export class ReconnectingLink implements Transmitter {
  readonly #target: { readonly url: string; readonly protocols: string[] };
  readonly #backoff: Backoff;
  #state: ConnectionState = { name: 'idle' };
  #link: Link | undefined;
  #stopWaiting: () => void = () => {};
  #events: ConnectionEvents | undefined;
  /** The delay requested by the gateway in `going_away`, in milliseconds. */
  #askedMs: number | undefined;

  constructor(
    target: Target,
    private readonly WebSocket: SocketConstructor,
    private readonly timers: Timers,
  ) {
    this.#target = addressOf(target);
    this.#backoff = new Backoff(timers);
  }

  /** Sets the callbacks. Call it once, before {@link open}. */
  listen(events: ConnectionEvents): void {
    this.#events = events;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Opens a link at once, even while waiting for the next attempt. Does nothing when a link exists. */
  open(): void {
    if (this.#link) return;
    this.#stopWaiting();
    this.#enter({ name: 'connecting' });
    this.#link = new Link(this.WebSocket, this.#target, this.timers, {
      connected: (connected) => {
        this.#backoff.reset();
        this.#askedMs = undefined;
        this.#enter({ name: 'connected', connected });
        this.#events?.connected();
      },
      frame: (frame) => {
        if (frame.type === 'going_away') this.#askedMs = frame.payload.reconnect_after_ms;
        this.#events?.frame(frame);
      },
      lost: (loss) => this.#lose(loss),
    });
  }

  send(text: string): boolean {
    if (this.#state.name !== 'connected') return false;
    this.#link?.send(text);
    return true;
  }

  refusal(text: string): Error | undefined {
    if (this.#state.name === 'ended') return this.#state.error;
    if (this.#state.name !== 'connected') return undefined;
    const maxBytes = this.#state.connected.limits.max_frame_bytes;
    const bytes = countBytes(text, maxBytes);
    return bytes > maxBytes ? new MessageTooLargeError(bytes, maxBytes) : undefined;
  }

  probe(): void {
    this.#link?.probe();
  }

  /** Sends a frame, which is dropped when there is no connection. */
  notify<T extends InboundType>(type: T, payload: PayloadOf<T>, sessionId?: string): void {
    this.send(encodeInbound(type, newId(), this.timers.now(), payload, sessionId));
  }

  close(): void {
    this.#link?.close();
    this.#stopWaiting();
    this.#end(new ConnectionEndedError(1000, 'closed by this client'));
  }

  #lose(loss: Loss): void {
    this.#link = undefined;
    if (isFinal(loss.code)) return this.#end(new ConnectionEndedError(loss.code, loss.reason));
    const retryInMs = this.#backoff.next(loss.code, this.#askedMs);
    this.#askedMs = undefined;
    this.#stopWaiting = this.timers.setTimer(retryInMs, () => this.open());
    this.#events?.lost();
    this.#enter({ name: 'waiting', loss, retryInMs });
  }

  #end(error: ConnectionEndedError): void {
    if (this.#state.name === 'ended') return;
    this.#link = undefined;
    // Before the callbacks: what a caller sends from one of them has to fail too.
    this.#state = { name: 'ended', error };
    this.#events?.lost();
    this.#events?.ended(error);
    this.#events?.state(this.#state);
  }

  #enter(state: ConnectionState): void {
    this.#state = state;
    this.#events?.state(state);
  }
}

/** Returns the URL and the subprotocols that a socket offers. @throws TypeError if the token is not allowed */
export function addressOf(target: Target): { readonly url: string; readonly protocols: string[] } {
  return { url: socketUrl(target), protocols: subprotocols(target.token) };
}

function socketUrl(target: Target): string {
  const url = new URL(target.url);
  url.protocol = url.protocol.replace('http', 'ws');
  // A proxy that serves the gateway below a path passes on what comes after the slash.
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  url.searchParams.set('client_id', target.clientId);
  if (target.deltas) url.searchParams.set('stream', 'delta');
  if (target.presence) url.searchParams.set('subscribe', 'presence');
  return url.href;
}

/** Returns the subprotocols to offer. The token is one of them, in Node too, because browsers cannot set headers. */
function subprotocols(token: string | undefined): string[] {
  if (token === undefined) return [SUBPROTOCOL];
  if (!TOKEN_PATTERN.test(token)) throw new TypeError(`A token must match ${TOKEN_PATTERN.source}`);
  return [SUBPROTOCOL, BEARER_SUBPROTOCOL_PREFIX + token];
}
