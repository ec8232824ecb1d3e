import { Signal } from '../model/signal.js';
import { EventFeed, SILENCE_MS, type OpenStream, type FeedRefusal } from './event-feed.js';
import type { ServerEvent } from './sse.js';

/** The kinds of events of `/admin/v1/events`, each named after the list whose rows it has. */
export type LiveKind =
  | 'connection'
  | 'message'
  | 'turn'
  | 'tool'
  | 'approval'
  | 'channel'
  | 'dead_letter'
  | 'node'
  | 'cron'
  | 'config'
  | 'status';

/** Something that has happened, with the fields of a row of its list. */
export interface LiveEvent {
  readonly kind: LiveKind;
  readonly row: Readonly<Record<string, unknown>>;
}

/** `paused`: by the person, or because the page is hidden. */
export type LiveState = 'connecting' | 'live' | 'reconnecting' | 'paused' | FeedRefusal;

/** Least time between two deliveries of events, in milliseconds: rows do not change more often. */
export const DELIVERY_INTERVAL_MS = 250;

/** A notice of the page that has the stream to the others. */
type Broadcast = { readonly event: ServerEvent } | { readonly isOpen: boolean } | { readonly hello: true };

/** The parts of the browser that pages share. */
export interface Neighbours {
  /** Runs `lead` once no other page does; until then, and after it has resolved, another one may. */
  elect(lead: () => Promise<void>, signal: AbortSignal): void;
  /** Listens to the other pages. Returns the way to send to them. */
  join(listen: (message: Broadcast) => void): (message: Broadcast) => void;
}

/**
 * Live events. The pages of a browser share one stream, because a browser has six connections to a gateway (HTTP/1.1): one page
 * has it, and broadcasts what comes to the others. A page that is hidden hands over, and stops.
 */
export class Live {
  /** Emits when {@link state} has changed. */
  readonly changed = new Signal();
  /** Emits when events may have been missed: lists are to be read again. */
  readonly reset = new Signal();
  readonly #subscribers = new Map<(event: LiveEvent) => void, readonly LiveKind[]>();
  readonly #feed: EventFeed;
  readonly #send: (message: Broadcast) => void;
  #state: LiveState = 'connecting';
  #heardAt: number;
  #lastId: string | undefined;
  #leading: (() => void) | undefined;
  #candidacy: AbortController | undefined;
  #isHidden = false;
  #isPausedByPerson = false;
  readonly #waiting: LiveEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;

  /** @param now returns the time in Unix milliseconds */
  constructor(
    open: OpenStream,
    private readonly neighbours: Neighbours,
    private readonly now: () => number = Date.now,
  ) {
    this.#heardAt = now();
    this.#feed = new EventFeed(open, {
      take: (event) => this.#announce({ event }),
      changed: (isOpen) => this.#feedChanged(isOpen),
      refused: (reason) => this.#refuse(reason),
    });
    this.#send = neighbours.join((message) => this.#take(message));
  }

  get state(): LiveState {
    return this.#state;
  }

  /** When something last came, in Unix milliseconds: what is shown is as old as that. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Calls `subscriber` for each event of some kinds. Returns a function that unsubscribes it. */
  subscribe(kinds: readonly LiveKind[], subscriber: (event: LiveEvent) => void): () => void {
    this.#subscribers.set(subscriber, kinds);
    return () => void this.#subscribers.delete(subscriber);
  }

  get #isRefused(): boolean {
    return this.#state === 'off' || this.#state === 'ended';
  }

  /** Begins, also after a refusal: the person may have signed in again. */
  start(): void {
    if (this.#candidacy || this.#isHidden || this.#isPausedByPerson) return;
    this.#set('connecting');
    const candidacy = (this.#candidacy = new AbortController());
    this.neighbours.elect(async () => {
      if (candidacy.signal.aborted) return;
      await new Promise<void>((resolve) => {
        this.#leading = resolve;
        this.#feed.start(this.#lastId);
      });
    }, candidacy.signal);
    this.#send({ hello: true });
    this.#watch();
  }

  stop(): void {
    this.#candidacy?.abort();
    this.#candidacy = undefined;
    this.#feed.stop();
    this.#leading?.();
    this.#leading = undefined;
    clearTimeout(this.#silence);
    if (!this.#isRefused) this.#set('paused');
  }

  /** A hidden page hands the stream over. When it is shown again, lists are read again. */
  show(isVisible: boolean): void {
    this.#isHidden = !isVisible;
    this.#restart();
  }

  /** Pauses, or goes on. */
  pause(isPaused: boolean): void {
    this.#isPausedByPerson = isPaused;
    this.#restart();
  }

  /** Tries at once: the network is back. */
  hurry(): void {
    this.#feed.hurry();
  }

  #restart(): void {
    if (this.#isHidden || this.#isPausedByPerson) return this.stop();
    if (this.#candidacy || this.#isRefused) return;
    this.start();
    this.reset.emit();
  }

  /** A stream without a position lacks the events between the reading of the lists and its opening. */
  #feedChanged(isOpen: boolean): void {
    const isFirst = this.#state === 'connecting';
    this.#announce({ isOpen });
    if (isOpen && isFirst && this.#lastId === undefined) this.reset.emit();
  }

  /** Sends a message to the other pages and to this one. */
  #announce(message: Broadcast): void {
    this.#send(message);
    this.#take(message);
  }

  #take(message: Broadcast): void {
    if ('hello' in message) {
      if (this.#leading && this.#state === 'live') this.#send({ isOpen: true });
      return;
    }
    if (!this.#candidacy) return;
    if ('isOpen' in message) {
      if (message.isOpen) this.#hear();
      else this.#set('reconnecting');
      return;
    }
    this.#hear();
    this.#takeEvent(message.event);
  }

  /** Hands over: each page finds out for itself, as another one may have another credential. */
  #refuse(reason: FeedRefusal): void {
    this.#set(reason);
    this.stop();
  }

  #takeEvent({ id, kind, data }: ServerEvent): void {
    this.#lastId = id ?? this.#lastId;
    if (kind === 'heartbeat') return;
    if (kind === 'reset') {
      this.#lastId = undefined;
      return this.reset.emit();
    }
    this.#waiting.push({ kind: kind as LiveKind, row: JSON.parse(data) as LiveEvent['row'] });
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#deliver(), DELIVERY_INTERVAL_MS);
  }

  #deliver(): void {
    this.#timer = undefined;
    for (const event of this.#waiting.splice(0))
      for (const [subscriber, kinds] of this.#subscribers) if (kinds.includes(event.kind)) subscriber(event);
  }

  #hear(): void {
    this.#heardAt = this.now();
    this.#set('live');
    this.#watch();
  }

  /** A page without the stream notices by the silence that the one that has it hangs. */
  #watch(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#set('reconnecting'), SILENCE_MS);
  }

  #set(state: LiveState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.changed.emit();
  }
}

/** The other pages of this browser that show the console to the same person. @param reach see {@link Me.reach} */
export function neighboursOf(reach: string): Neighbours {
  const name = `openclaw.console.live ${reach}`;
  return {
    elect(lead, signal) {
      // Without a secure connection there are no locks: each page has a stream of its own.
      if (!('locks' in navigator)) return void lead();
      navigator.locks.request(name, { signal }, lead).catch(() => {
        // Aborted: the page does not want it any more.
      });
    },
    join(listen) {
      const channel = new BroadcastChannel(name);
      channel.addEventListener('message', ({ data }) => listen(data as Broadcast));
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no other origin
      return (message) => channel.postMessage(message);
    },
  };
}
