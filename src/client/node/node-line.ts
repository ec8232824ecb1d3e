import { closeTable } from '../../protocol/closes.js';
import type { OutboundFrame } from '../../protocol/index.js';
import { ConnectionEndedError } from '../errors.js';
import { Link, type Loss, type SocketConstructor } from '../link.js';
import { Backoff, isFinal } from '../reconnect.js';
import { addressOf } from '../reconnecting-link.js';
import type { Timers } from '../timers.js';

/** Maximum pause between attempts, in milliseconds. */
const MAX_PAUSE_MS = 60_000;

/** Pause of a node that another machine with the same key has replaced, in milliseconds. */
const REPLACED_PAUSE_MS = 60_000;

/** Reason with which the gateway refuses a node whose clock is off. */
const CLOCK_OFF = /(\d+) s (behind|ahead)/;

/** The state of a node's connection. `registered`: its commands are tools. */
export type NodeState =
  | { readonly name: 'idle' | 'connecting' | 'registered' }
  | { readonly name: 'waiting'; readonly loss: Loss; readonly retryInMs: number }
  | { readonly name: 'ended'; readonly error: ConnectionEndedError };

export interface NodeLineEvents {
  state(state: NodeState): void;
  connected(): void;
  frame(frame: OutboundFrame): void;
  /** The connection was lost. `tooBig`: because of a frame that the gateway does not accept. */
  lost(tooBig: boolean): void;
}

export interface NodeLineOptions {
  readonly url: string;
  /** The client ID; undefined where the credential decides it. */
  readonly clientId: string;
  /** Makes the credential of one connection, at a time in Unix milliseconds. */
  readonly makeCredential: (now: number) => Promise<string>;
  readonly WebSocket: SocketConstructor;
  readonly timers: Timers;
}

/** Keeps one link of a node open. Each link has a credential of its own. */
export class NodeLine {
  #state: NodeState = { name: 'idle' };
  #link: Link | undefined;
  /** True once the link has its first frame. */
  #isConnected = false;
  /** Counts attempts, so that a credential that comes late opens no second link. */
  #attempt = 0;
  #maxFrameBytes = 0;
  #stopWaiting: () => void = () => {};
  #askedMs: number | undefined;
  /** Offset of the gateway's clock from this one, in milliseconds, as the gateway has reported it. */
  #clockOffsetMs = 0;
  #hasCorrected = false;
  readonly #backoff: Backoff;

  constructor(
    private readonly options: NodeLineOptions,
    private readonly events: NodeLineEvents,
  ) {
    this.#backoff = new Backoff(options.timers, MAX_PAUSE_MS);
  }

  get state(): NodeState {
    return this.#state;
  }

  /** The gateway's time, as far as it is known, in Unix milliseconds. */
  get now(): number {
    return this.options.timers.now() + this.#clockOffsetMs;
  }

  /** The largest frame that the gateway accepts, in bytes; 0 before the first connection. */
  get maxFrameBytes(): number {
    return this.#maxFrameBytes;
  }

  /** Opens a link at once, also while it waits for the next attempt. Tests one that exists. */
  open(): void {
    if (this.#link) return this.#link.probe();
    if (this.#state.name === 'connecting') return;
    this.#stopWaiting();
    this.#enter({ name: 'connecting' });
    void this.#connect(++this.#attempt);
  }

  /** Notes that the gateway has taken the commands. */
  registered(): void {
    this.#backoff.reset();
    this.#hasCorrected = false;
    this.#enter({ name: 'registered' });
  }

  /** Returns false without a connection. */
  send(text: string): boolean {
    if (!this.#link || !this.#isConnected) return false;
    this.#link.send(text);
    return true;
  }

  /** Closes the link and opens another after the usual pause. */
  restart(reason: string): void {
    if (!this.#link) return;
    this.#link.close();
    this.#lose({ code: closeTable.goingAway.code, reason });
  }

  close(code = 1000, reason = 'closed by this client'): void {
    this.#attempt++;
    this.#link?.close();
    this.#link = undefined;
    this.#isConnected = false;
    this.#stopWaiting();
    if (this.#state.name === 'ended') return;
    this.events.lost(false);
    this.#enter({ name: 'ended', error: new ConnectionEndedError(code, reason) });
  }

  async #connect(attempt: number): Promise<void> {
    const { url, clientId, makeCredential, WebSocket, timers } = this.options;
    const credential = await makeCredential(this.now);
    if (attempt !== this.#attempt) return;
    const target = addressOf({ url, clientId, token: credential, deltas: false, presence: false });
    this.#link = new Link(WebSocket, target, timers, {
      connected: (payload) => {
        this.#askedMs = undefined;
        this.#isConnected = true;
        this.#maxFrameBytes = payload.limits.max_frame_bytes;
        this.events.connected();
      },
      frame: (frame) => {
        if (frame.type === 'going_away') this.#askedMs = frame.payload.reconnect_after_ms;
        this.events.frame(frame);
      },
      lost: (loss) => this.#lose(loss),
    });
  }

  #lose(loss: Loss): void {
    this.#link = undefined;
    this.#isConnected = false;
    const isTooBig = loss.code === closeTable.tooBig.code;
    this.events.lost(isTooBig);
    const retryInMs = this.#pauseAfter(loss);
    if (retryInMs === undefined)
      return this.#enter({ name: 'ended', error: new ConnectionEndedError(loss.code, loss.reason) });
    this.#askedMs = undefined;
    this.#stopWaiting = this.options.timers.setTimer(retryInMs, () => this.open());
    this.#enter({ name: 'waiting', loss, retryInMs });
  }

  /** Returns the pause before the next attempt in milliseconds; undefined if it would be useless. */
  #pauseAfter(loss: Loss): number | undefined {
    if (loss.code === closeTable.unauthorized.code) return this.#correctClock(loss.reason) ? 0 : undefined;
    const pauseMs = this.#backoff.next(loss.code, this.#askedMs);
    if (loss.code === closeTable.replaced.code) return REPLACED_PAUSE_MS + pauseMs;
    return isFinal(loss.code) && loss.code !== closeTable.tooBig.code ? undefined : pauseMs;
  }

  /** Takes over the gateway's clock, once for each connection. */
  #correctClock(reason: string): boolean {
    const [, seconds, direction] = CLOCK_OFF.exec(reason) ?? [];
    if (seconds === undefined || this.#hasCorrected) return false;
    this.#hasCorrected = true;
    this.#clockOffsetMs += Number(seconds) * 1_000 * (direction === 'behind' ? 1 : -1);
    return true;
  }

  #enter(state: NodeState): void {
    this.#state = state;
    this.events.state(state);
  }
}
