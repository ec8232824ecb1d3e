import { closeTable } from '../protocol/closes.js';
import type { ConnectedPayload, OutboundFrame } from '../protocol/index.js';
import { decodeOutbound, encodeInbound, newId } from './frames.js';
import type { Timers } from './timers.js';

/** The part of the WebSocket interface that this client uses, as in browsers and in Node. */
export interface SocketLike {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { readonly code: number; readonly reason: string }) => void): void;
}

export type SocketConstructor = new (url: string, protocols: string[]) => SocketLike;

/** The end of a link. 1006 means no close frame arrived (unreachable, refused or cut). */
export interface Loss {
  readonly code: number;
  readonly reason: string;
}

/** Callbacks of a {@link Link}: `connected` at most once, then frames, and `lost` exactly once at the end. */
export interface LinkEvents {
  connected(payload: ConnectedPayload): void;
  frame(frame: OutboundFrame): void;
  lost(loss: Loss): void;
}

/** Maximum time from opening the socket to the gateway's first frame. */
const OPENING_TIMEOUT_MS = 10_000;

/** Heartbeat intervals without a frame after which a ping is sent, and after which the link counts as lost. */
const QUIET_BEFORE_PING = 2;
const QUIET_BEFORE_LOST = 3;

/**
 * Maximum time from a probe to the next frame, and the rate at which the slowest usable connection transmits what was
 * sent before it, in characters per millisecond.
 */
const PROBE_TIMEOUT_MS = 5_000;
const MIN_CHARACTERS_PER_MS = 16;

/** One WebSocket from open to close. */
export class Link {
  readonly #socket: SocketLike;
  #stopTimer: () => void;
  /** Defined while a probe waits for a frame. */
  #stopProbe: (() => void) | undefined;
  /** Number of characters sent since the last frame arrived. */
  #sentSinceFrame = 0;
  #quietHeartbeats = 0;
  #connected = false;
  #over = false;

  constructor(
    WebSocket: SocketConstructor,
    target: { readonly url: string; readonly protocols: string[] },
    private readonly timers: Timers,
    private readonly events: LinkEvents,
  ) {
    this.#socket = new WebSocket(target.url, target.protocols);
    this.#socket.addEventListener('message', (event) => this.#receive(event.data));
    this.#socket.addEventListener('close', (event) => this.#lose({ code: event.code, reason: event.reason }));
    this.#stopTimer = timers.setTimer(OPENING_TIMEOUT_MS, () => this.#giveUp('The gateway did not answer'));
  }

  send(text: string): void {
    this.#sentSinceFrame += text.length;
    this.#socket.send(text);
  }

  /**
   * Sends a ping, and gives the link up when no frame arrives in time. A link that lost its network stays open without
   * one: the heartbeat takes minutes to notice.
   */
  probe(): void {
    if (!this.#connected || this.#over || this.#stopProbe) return;
    this.#ping();
    const timeoutMs = PROBE_TIMEOUT_MS + this.#sentSinceFrame / MIN_CHARACTERS_PER_MS;
    this.#stopProbe = this.timers.setTimer(timeoutMs, () => this.#giveUp(closeTable.heartbeatLost.reason));
  }

  /** Closes the socket without calling `lost`. */
  close(): void {
    this.#finish();
    this.#socket.close(1000);
  }

  #receive(text: unknown): void {
    const frame = this.#over ? undefined : decodeOutbound(text);
    if (!frame) return;
    this.#quietHeartbeats = 0;
    this.#sentSinceFrame = 0;
    this.#endProbe();
    if (this.#connected) return this.events.frame(frame);
    if (frame.type !== 'connected') return;
    this.#connected = true;
    this.#stopTimer();
    this.#watch(frame.payload.heartbeat_interval_ms);
    this.events.connected(frame.payload);
  }

  /**
   * Sends a ping after silence. Browsers do not expose the gateway's pings, so a dead connection would otherwise go
   * unnoticed.
   */
  #watch(heartbeatMs: number): void {
    this.#stopTimer = this.timers.setTimer(heartbeatMs, () => {
      this.#quietHeartbeats++;
      if (this.#quietHeartbeats >= QUIET_BEFORE_LOST) return this.#giveUp(closeTable.heartbeatLost.reason);
      if (this.#quietHeartbeats >= QUIET_BEFORE_PING) this.#ping();
      this.#watch(heartbeatMs);
    });
  }

  #ping(): void {
    this.send(encodeInbound('ping', newId(), this.timers.now(), {}));
  }

  #endProbe(): void {
    this.#stopProbe?.();
    this.#stopProbe = undefined;
  }

  #giveUp(reason: string): void {
    this.#socket.close(1000);
    this.#lose({ code: closeTable.heartbeatLost.code, reason });
  }

  #lose(loss: Loss): void {
    if (this.#over) return;
    this.#finish();
    this.events.lost(loss);
  }

  #finish(): void {
    this.#over = true;
    this.#stopTimer();
    this.#endProbe();
  }
}
