import { GatewayError } from '../protocol/errors.js';
import type { HistoryPayload, HistoryResultPayload, InboundType, OutboundFrame } from '../protocol/index.js';
import type { Transmitter } from './reconnecting-link.js';
import { encodeInbound, newId, type ExtensionType, type PayloadOf } from './frames.js';
import type { Timers } from './timers.js';

interface Request {
  readonly text: string;
  readonly isQuiet: boolean;
  readonly resolve: (frame: OutboundFrame) => void;
  readonly reject: (error: Error) => void;
}

/** Requests with one response each. They are idempotent, so each is resent after a reconnect or a `retryable` error. */
export class Requests {
  readonly #open = new Map<string, Request>();

  constructor(
    private readonly timers: Timers,
    private readonly transmitter: Transmitter,
  ) {}

  /**
   * Rejects with GatewayError when refused, ConnectionEndedError when the connection has ended or ends permanently,
   * MessageTooLargeError when the gateway does not accept its size.
   */
  ask<T extends InboundType | ExtensionType>(
    type: T,
    payload: PayloadOf<T>,
    sessionId?: string,
    isQuiet = false,
  ): Promise<OutboundFrame> {
    return new Promise((resolve, reject) => {
      const id = newId();
      const text = encodeInbound(type, id, this.timers.now(), payload, sessionId);
      const refusal = this.transmitter.refusal(text);
      if (refusal) return reject(refusal);
      this.#open.set(id, { text, isQuiet, resolve, reject });
      this.transmitter.send(text);
    });
  }

  /** Reads a page of a session's history. Rejects like {@link ask}. */
  async history(sessionId: string, page: HistoryPayload, isQuiet = false): Promise<HistoryResultPayload> {
    return ((await this.ask('history', page, sessionId, isQuiet)) as OutboundFrame<'history'>).payload;
  }

  /** Returns true for the response to a quiet request, which only its caller reads. */
  isQuiet({ correlation_id }: OutboundFrame): boolean {
    return correlation_id !== undefined && this.#open.get(correlation_id)?.isQuiet === true;
  }

  /** Returns true when the frame is the response to one of these requests. */
  settle(frame: OutboundFrame): boolean {
    const id = frame.correlation_id;
    const request = id === undefined ? undefined : this.#open.get(id);
    if (id === undefined || !request) return false;
    if (frame.type === 'error' && frame.payload.retryable) {
      this.timers.setTimer(frame.payload.retry_after_ms ?? 1_000, () => {
        if (this.#open.has(id)) this.transmitter.send(request.text);
      });
      return true;
    }
    this.#open.delete(id);
    if (frame.type === 'error') request.reject(GatewayError.fromPayload(frame.payload));
    else request.resolve(frame);
    return true;
  }

  connected(): void {
    for (const [id, { text, reject }] of this.#open) {
      const refusal = this.transmitter.refusal(text);
      if (!refusal) {
        this.transmitter.send(text);
        continue;
      }
      this.#open.delete(id);
      reject(refusal);
    }
  }

  failAll(error: Error): void {
    const requests = [...this.#open.values()];
    this.#open.clear();
    for (const { reject } of requests) reject(error);
  }
}
