import { ApiError } from './api.js';
import { ServerEventReader, type ServerEvent } from './sse.js';

/** Time without anything after which a stream counts as lost, in milliseconds: two heartbeats, and a little. */
export const SILENCE_MS = 35_000;

/** Shortest and longest wait before the next try, in milliseconds. */
export const FIRST_WAIT_MS = 500;
export const MAX_WAIT_MS = 15_000;

/** `off`: the person may not read events. `ended`: the gateway does not accept the credential any more. */
export type FeedRefusal = 'off' | 'ended';

/** The callbacks of a feed. */
export interface FeedListener {
  /** An event, a heartbeat or a reset has come. */
  take(event: ServerEvent): void;
  /** The stream was opened, or lost. */
  changed(isOpen: boolean): void;
  /** There will be no stream: the credential does not allow one, or has ended. */
  refused(reason: FeedRefusal): void;
}

const REFUSALS: Readonly<Partial<Record<number, FeedRefusal>>> = { 401: 'ended', 403: 'off' };

/** Opens the stream. @param lastId the id of the last event that was seen */
export type OpenStream = (lastId: string | undefined, signal: AbortSignal) => Promise<Response>;

/** One stream of events, opened again for as long as it is wanted. It continues after the last event that was seen. */
export class EventFeed {
  #abort: AbortController | undefined;
  #wake: (() => void) | undefined;
  #tries = 0;

  /** @param random returns a number from 0 to 1, for the jitter of the waits */
  constructor(
    private readonly open: OpenStream,
    private readonly listener: FeedListener,
    private readonly random: () => number = Math.random,
  ) {}

  /** Begins after an event. Undefined: with what happens from now on. */
  start(lastId: string | undefined): void {
    if (this.#abort) return;
    this.#abort = new AbortController();
    void this.#run(lastId, this.#abort.signal);
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = undefined;
    this.#wake?.();
  }

  /** Tries at once, if it waits for the next try. */
  hurry(): void {
    this.#tries = 0;
    this.#wake?.();
  }

  async #run(lastId: string | undefined, stopped: AbortSignal): Promise<void> {
    let position = lastId;
    let isFirst = true;
    while (!stopped.aborted) {
      try {
        position = await this.#read(position, stopped, isFirst);
      } catch (error) {
        if (stopped.aborted) return;
        const refusal = error instanceof ApiError ? REFUSALS[error.status] : undefined;
        if (refusal) return this.listener.refused(refusal);
      }
      isFirst = false;
      if (stopped.aborted) return;
      this.listener.changed(false);
      await this.#wait();
    }
  }

  /** Reads one stream to its end. Returns the id of the last event. */
  async #read(lastId: string | undefined, stopped: AbortSignal, isFirst: boolean): Promise<string | undefined> {
    const silence = new AbortController();
    const { signal } = silence;
    const abort = () => silence.abort();
    stopped.addEventListener('abort', abort);
    let timer = setTimeout(abort, SILENCE_MS);
    let position = lastId;
    try {
      const { body } = await this.open(lastId, signal);
      if (!body) return position;
      this.#tries = 0;
      this.listener.changed(true);
      // Without a position the events that were missed between the streams are unknown.
      if (!isFirst && lastId === undefined) this.listener.take({ id: undefined, kind: 'reset', data: '{}' });
      const events = new ServerEventReader();
      const pieces = body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await pieces.read();
        if (done || signal.aborted) return position;
        clearTimeout(timer);
        timer = setTimeout(abort, SILENCE_MS);
        for (const event of events.read(value)) {
          position = event.id ?? position;
          this.listener.take(event);
        }
      }
    } catch (error) {
      // The position holds also if the stream breaks off.
      if (stopped.aborted || (error instanceof ApiError && error.status !== 0)) throw error;
      return position;
    } finally {
      clearTimeout(timer);
      stopped.removeEventListener('abort', abort);
      abort();
    }
  }

  async #wait(): Promise<void> {
    const longest = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#tries++);
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, longest * (0.5 + this.random() / 2));
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }
}
