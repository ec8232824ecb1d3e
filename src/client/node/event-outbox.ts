import type { NodeEventPayload } from '../../protocol/nodes.js';
import type { NodeStorage } from './storage.js';
import type { Timers } from '../timers.js';

/** Maximum number of events that wait for their acknowledgement. */
const MAX_WAITING_EVENTS = 1_000;

const PREFIX = 'event:';
/** Minimum pause after a refusal, in milliseconds. */
const MIN_RETRY_MS = 100;

interface WaitingEvent {
  readonly place: number;
  readonly payload: NodeEventPayload & { readonly event_id: string };
}

/** Keeps events until the gateway has acknowledged them, and sends one after the other. */
export class EventOutbox {
  #waiting: WaitingEvent[] = [];
  #lastPlace = 0;
  #sentId: string | undefined;
  #stopPause: (() => void) | undefined;

  /** @param send sends an event; returns false without a connection */
  constructor(
    private readonly storage: NodeStorage,
    private readonly timers: Timers,
    private readonly send: (payload: NodeEventPayload) => boolean,
  ) {}

  async load(): Promise<void> {
    const stored = (await this.storage.list(PREFIX)) as readonly WaitingEvent[];
    this.#waiting = [...stored].sort((a, b) => a.place - b.place);
    this.#lastPlace = this.#waiting[this.#waiting.length - 1]?.place ?? 0;
  }

  /** Keeps an event and sends it in its turn. @throws Error if too many wait */
  async add(payload: WaitingEvent['payload']): Promise<void> {
    if (this.#waiting.length >= MAX_WAITING_EVENTS) throw new Error(`${MAX_WAITING_EVENTS} events wait already`);
    const event = { place: ++this.#lastPlace, payload };
    this.#waiting.push(event);
    await this.storage.write(PREFIX + payload.event_id, event);
    this.#pump();
  }

  /** Starts to send, on a new connection. */
  connected(): void {
    this.#sentId = undefined;
    this.#pump();
  }

  disconnected(): void {
    this.#stopPause?.();
    this.#stopPause = undefined;
  }

  async acknowledge(eventId: string): Promise<void> {
    this.#waiting = this.#waiting.filter(({ payload }) => payload.event_id !== eventId);
    if (this.#sentId === eventId) this.#sentId = undefined;
    this.#pump();
    await this.storage.remove(PREFIX + eventId);
  }

  /** The gateway has refused the event that was sent: for now, or, without `retryAfterMs`, for good. */
  async refuse(retryAfterMs: number | undefined): Promise<void> {
    const refused = this.#sentId;
    if (refused === undefined) return;
    if (retryAfterMs === undefined) return this.acknowledge(refused);
    this.#sentId = undefined;
    this.#stopPause ??= this.timers.setTimer(Math.max(retryAfterMs, MIN_RETRY_MS), () => {
      this.#stopPause = undefined;
      this.#pump();
    });
  }

  #pump(): void {
    const [next] = this.#waiting;
    if (!next || this.#sentId !== undefined || this.#stopPause) return;
    if (this.send(next.payload)) this.#sentId = next.payload.event_id;
  }
}
