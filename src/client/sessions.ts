import { GatewayError } from '../protocol/errors.js';
import type { OutboundFrame, ResumedPayload } from '../protocol/index.js';
import { encodeFrame, newId, type DurableFrame } from './frames.js';
import { SessionReader } from './session-reader.js';
import type { Timers } from './timers.js';

/** Sessions in one `resume` (protocol.md allows no more). */
const MAX_SESSIONS = 1_000;

/** A place in a session's log. */
export interface SessionPosition {
  readonly session_id: string;
  readonly after_seq: number;
}

export interface SessionsEvents {
  transmit(text: string): void;
  /** Frames of this session cannot be read again, or nobody knows from where to read: its history has to tell. */
  recover(sessionId: string): void;
  /** The gateway will not let this client follow a session (undefined: any session). */
  refused(sessionId: string | undefined, error: GatewayError): void;
  /** The sessions in which an answer is being waited for. */
  listAwaited(): ReadonlySet<string>;
}

/** The sessions that this client follows: their frames in order, once, and after a gap or a reconnect from where they were. */
export class Sessions {
  readonly #readers = new Map<string, SessionReader>();
  /** The sessions for which each `resume` on the wire has no answer yet; nobody can tell when one for all is answered. */
  readonly #asked = new Map<string, Set<string> | 'all'>();
  readonly #callers = new Map<string, PromiseWithResolvers<ResumedPayload>>();

  constructor(
    private readonly timers: Timers,
    private readonly events: SessionsEvents,
  ) {}

  /** The gateway sends this session's frames from now on: it has just accepted a message there. */
  follow(sessionId: string): void {
    if (!this.#readers.has(sessionId)) this.#readers.set(sessionId, new SessionReader());
  }

  /** True when the frame is the next of its session. Missing ones are asked for. */
  accept({ session_id, seq }: DurableFrame): boolean {
    this.follow(session_id);
    const verdict = this.#readers.get(session_id)?.judge(seq);
    if (verdict === 'gap') this.#ask([session_id]);
    return verdict === 'take';
  }

  isLive({ session_id, seq }: DurableFrame): boolean {
    return this.#readers.get(session_id)?.isLive(seq) ?? true;
  }

  /** Follows a session from a place in its log. Rejects with GatewayError when refused. */
  resume({ session_id, after_seq }: SessionPosition): Promise<ResumedPayload> {
    const caller = this.#callers.get(session_id) ?? Promise.withResolvers<ResumedPayload>();
    this.#callers.set(session_id, caller);
    this.#readers.set(session_id, new SessionReader(after_seq));
    this.#ask([session_id]);
    return caller.promise;
  }

  /** Follows what the gateway knows this client has not got. */
  resumeAll(): void {
    this.#send([], 'all');
  }

  /** Takes nothing of a session until {@link moveTo} has said from where. */
  forget(sessionId: string): void {
    this.follow(sessionId);
    this.#readers.get(sessionId)?.forget();
  }

  moveTo(sessionId: string, seq: number): void {
    this.#readers.get(sessionId)?.moveTo(seq);
    this.#ask([sessionId]);
  }

  connected(): void {
    const known: string[] = [];
    const awaited = this.events.listAwaited();
    for (const [sessionId, reader] of this.#readers) {
      if (reader.position !== undefined) known.push(sessionId);
      else if (awaited.has(sessionId)) this.events.recover(sessionId);
    }
    this.#ask(known);
  }

  disconnected(): void {
    this.#asked.clear();
  }

  failAll(error: Error): void {
    for (const caller of this.#callers.values()) caller.reject(error);
    this.#callers.clear();
  }

  resumed({ payload, correlation_id }: OutboundFrame<'resumed'>): void {
    const sessionId = payload.session_id;
    this.follow(sessionId);
    this.#answered(correlation_id, sessionId);
    this.#callers.get(sessionId)?.resolve(payload);
    this.#callers.delete(sessionId);
    if (this.#readers.get(sessionId)?.resumed(payload)) this.events.recover(sessionId);
  }

  /** True when the error answers a `resume`. */
  settle({ correlation_id, session_id, payload }: OutboundFrame<'error'>): boolean {
    const asked = correlation_id === undefined ? undefined : this.#asked.get(correlation_id);
    if (!asked) return false;
    const error = GatewayError.fromPayload(payload);
    if (session_id !== undefined) this.#refuse(correlation_id, [session_id], error);
    else if (asked !== 'all') this.#refuse(correlation_id, [...asked], error);
    else if (error.retryable) this.timers.setTimer(error.retryAfterMs ?? 0, () => this.resumeAll());
    else this.events.refused(undefined, error);
    return true;
  }

  #answered(requestId: string | undefined, sessionId: string): void {
    const asked = requestId === undefined ? undefined : this.#asked.get(requestId);
    if (requestId === undefined || asked === undefined || asked === 'all') return;
    asked.delete(sessionId);
    if (asked.size === 0) this.#asked.delete(requestId);
  }

  #refuse(requestId: string | undefined, sessionIds: readonly string[], error: GatewayError): void {
    for (const sessionId of sessionIds) this.#answered(requestId, sessionId);
    if (error.retryable) this.timers.setTimer(error.retryAfterMs ?? 0, () => this.#ask(sessionIds));
    else for (const sessionId of sessionIds) this.#giveUp(sessionId, error);
  }

  #giveUp(sessionId: string, error: GatewayError): void {
    const caller = this.#callers.get(sessionId);
    this.#callers.delete(sessionId);
    caller?.reject(error);
    if (error.code === 'STALE_RESUME' && !caller) return this.events.recover(sessionId);
    this.#readers.delete(sessionId);
    if (!caller) this.events.refused(sessionId, error);
  }

  #ask(sessionIds: readonly string[]): void {
    const positions = sessionIds.flatMap((session_id) => {
      const reader = this.#readers.get(session_id);
      if (reader?.position === undefined) return [];
      reader.resume();
      return [{ session_id, after_seq: reader.position }];
    });
    for (let i = 0; i < positions.length; i += MAX_SESSIONS) {
      const sessions = positions.slice(i, i + MAX_SESSIONS);
      this.#send(sessions, new Set(sessions.map((position) => position.session_id)));
    }
  }

  #send(sessions: SessionPosition[], asked: Set<string> | 'all'): void {
    const id = newId();
    this.#asked.set(id, asked);
    this.events.transmit(encodeFrame('resume', id, this.timers.now(), { sessions }));
  }
}
