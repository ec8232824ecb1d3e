import { GatewayError } from '../protocol/errors.js';
import type { OutboundFrame, ResumedPayload } from '../protocol/index.js';
import type { Transmitter } from './reconnecting-link.js';
import { defer, type Deferred } from './deferred.js';
import { encodeInbound, newId, type DurableFrame } from './frames.js';
import { Recovery, type RecoveredSessions } from './recovery.js';
import type { Replies } from './replies.js';
import type { Requests } from './requests.js';
import { SessionReader } from './session-reader.js';
import type { Timers } from './timers.js';

/** Maximum number of sessions in one `resume` (protocol.md). */
const MAX_SESSIONS = 1_000;

/** A position in a session's log. */
export interface SessionPosition {
  readonly session_id: string;
  readonly after_seq: number;
  /** The `server.epoch` under which the frame `after_seq` arrived; without it, that of the current connection. */
  readonly epoch?: string | undefined;
}

/** The sessions that this client follows. Passes on their frames in order and once, also after a gap or a reconnect. */
export class Sessions implements RecoveredSessions {
  readonly #readers = new Map<string, SessionReader>();
  /**
   * For each `resume` in flight, the sessions without a response yet; a `resume` for all sessions has no last response.
   */
  readonly #asked = new Map<string, Set<string> | 'all'>();
  readonly #callers = new Map<string, Deferred<ResumedPayload>>();

  readonly #recovery: Recovery;
  /** The epoch of the gateway's log on the newest connection. */
  #epoch: string | undefined;

  /** `onRefused` is called when the gateway does not let this client follow a session. */
  constructor(
    private readonly timers: Timers,
    private readonly transmitter: Transmitter,
    private readonly replies: Replies,
    requests: Requests,
    private readonly onRefused: (error: GatewayError) => void,
  ) {
    this.#recovery = new Recovery(this, replies, requests);
  }

  /** Starts following a session, whose frames the gateway sends once it has accepted a message there. */
  follow(sessionId: string): void {
    if (!this.#readers.has(sessionId)) this.#readers.set(sessionId, new SessionReader());
  }

  /** Returns true when the frame is the next one of its session. Requests missing frames. */
  accept({ session_id, seq }: DurableFrame): boolean {
    this.follow(session_id);
    const verdict = this.#readers.get(session_id)?.judge(seq, this.#epoch);
    if (verdict === 'gap') this.#ask([session_id]);
    return verdict === 'take';
  }

  /**
   * Returns true when a frame was written while this client followed its session, false when it was read from the log.
   */
  isLive({ session_id, seq }: DurableFrame): boolean {
    return this.#readers.get(session_id)?.isLive(seq) ?? true;
  }

  /** Follows a session from a position in its log. Rejects with GatewayError when refused, or ConnectionEndedError. */
  resume({ session_id, after_seq, epoch = this.#epoch }: SessionPosition): Promise<ResumedPayload> {
    const ended = this.transmitter.refusal('');
    if (ended) return Promise.reject(ended);
    const caller = this.#callers.get(session_id) ?? defer<ResumedPayload>();
    this.#callers.set(session_id, caller);
    this.#readers.set(session_id, new SessionReader({ seq: after_seq, epoch }));
    this.#ask([session_id]);
    return caller.promise;
  }

  /** Follows every session in which the gateway has undelivered frames for this client. */
  resumeAll(): void {
    this.#send([], 'all');
  }

  /** Reads a session's history when its frames cannot be read again, or their position is unknown. */
  recover(sessionId: string): void {
    void this.#recovery.recover(sessionId);
  }

  forget(sessionId: string): void {
    this.follow(sessionId);
    this.#readers.get(sessionId)?.forget();
  }

  moveTo(sessionId: string, seq: number): void {
    this.#readers.get(sessionId)?.moveTo({ seq, epoch: this.#epoch });
    this.#ask([sessionId]);
  }

  connected(epoch: string | undefined): void {
    this.#epoch = epoch;
    const known: string[] = [];
    const awaited = this.replies.listSessions();
    for (const [sessionId, reader] of this.#readers) {
      if (reader.position !== undefined) known.push(sessionId);
      else if (awaited.has(sessionId)) this.recover(sessionId);
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
    if (this.#readers.get(sessionId)?.resumed(payload, this.#epoch)) this.recover(sessionId);
  }

  /** Handles an error. Returns true when it is the response to a `resume`. */
  settle({ correlation_id, session_id, payload }: OutboundFrame<'error'>): boolean {
    const asked = correlation_id === undefined ? undefined : this.#asked.get(correlation_id);
    if (!asked) return false;
    const error = GatewayError.fromPayload(payload);
    if (session_id !== undefined) this.#refuse(correlation_id, [session_id], error);
    else if (asked !== 'all') this.#refuse(correlation_id, [...asked], error);
    else if (error.retryable) this.timers.setTimer(error.retryAfterMs ?? 0, () => this.resumeAll());
    else this.onRefused(error);
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
    if (error.code === 'STALE_RESUME' && !caller) return this.recover(sessionId);
    this.#readers.delete(sessionId);
    if (caller) return;
    this.replies.fail(sessionId, error);
    this.onRefused(error);
  }

  #ask(sessionIds: readonly string[]): void {
    const positions = sessionIds.flatMap((session_id) => {
      const reader = this.#readers.get(session_id);
      if (reader?.position === undefined) return [];
      reader.resume();
      const { seq: after_seq, epoch } = reader.position;
      return [{ session_id, after_seq, ...(epoch !== undefined && { epoch }) }];
    });
    for (let i = 0; i < positions.length; i += MAX_SESSIONS) {
      const sessions = positions.slice(i, i + MAX_SESSIONS);
      this.#send(sessions, new Set(sessions.map((position) => position.session_id)));
    }
  }

  #send(sessions: SessionPosition[], asked: Set<string> | 'all'): void {
    const id = newId();
    this.#asked.set(id, asked);
    this.transmitter.send(encodeInbound('resume', id, this.timers.now(), { sessions }));
  }
}
