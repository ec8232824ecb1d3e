import { GatewayError } from '../../protocol/index.js';
import { PAYLOAD_TOO_LARGE, type FailureKind } from './failure-kinds.js';

/** A failed request to a model. */
export interface ModelFailure {
  readonly kind: FailureKind;
  /** The HTTP status; undefined without a response. */
  readonly status: number | undefined;
  /** The provider's text, for the log only. */
  readonly detail: string;
  /** The delay that the provider asks for, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/** Statuses of a refused prompt; a picture in it may be the reason. */
const REFUSED_PROMPT = new Set([400, PAYLOAD_TOO_LARGE, 422]);

/** Returns whether the provider refused the prompt for its content, so that one with fewer pictures may be accepted. */
export function isRefusedPrompt({ kind, status }: ModelFailure): boolean {
  return (kind === 'bad request' || kind === 'declined') && status !== undefined && REFUSED_PROMPT.has(status);
}

/** The longest delay that a provider may ask for, in milliseconds. */
const MAX_RETRY_AFTER_MS = 60_000;
/** The same if another model can answer instead. */
const MAX_RETRY_AFTER_WITH_NEXT_MS = 10_000;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;

/**
 * Returns whether the same request may succeed soon: after overload, a network failure or a truncated stream.
 * @param hasNext whether another model can answer instead
 */
export function isTransient({ kind, retryAfterMs = 0 }: ModelFailure, hasNext = false): boolean {
  if (kind !== 'overloaded' && kind !== 'unreachable') return false;
  return retryAfterMs <= (hasNext ? MAX_RETRY_AFTER_WITH_NEXT_MS : MAX_RETRY_AFTER_MS);
}

/**
 * Returns the delay before a retry, in milliseconds: the one that the provider asks for, else one that doubles with each
 * attempt, reduced at random by up to half, so that requests that failed together are not repeated together.
 * @param attempt 0 for the first retry
 * @param random from 0 to 1
 */
export function chooseDelayMs(attempt: number, retryAfterMs: number | undefined, random: number): number {
  if (retryAfterMs !== undefined) return retryAfterMs;
  return Math.min(FIRST_DELAY_MS * 2 ** attempt, MAX_DELAY_MS) * (1 - random / 2);
}

/** Reads `Retry-After` (seconds or a date, RFC 9110 section 10.2.3) and `retry-after-ms`, in milliseconds from `now`. */
export function readRetryAfter(headers: Headers, now: number): number | undefined {
  const precise = Number.parseFloat(headers.get('retry-after-ms') ?? '');
  if (precise >= 0) return precise;
  const text = headers.get('retry-after');
  if (!text) return undefined;
  const delayMs = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(delayMs) ? undefined : Math.max(0, delayMs);
}

/** Returns the error for people. It contains nothing of the provider's own text, which may have secrets. */
export function toAgentError(failure: ModelFailure): GatewayError<'AGENT_FAILED'> {
  return new GatewayError('AGENT_FAILED', { reason: explain(failure) }, { cause: new Error(failure.detail) });
}

const REASONS: Readonly<Partial<Record<FailureKind, string>>> = {
  declined: 'the model declined to answer',
  'too long': 'the conversation is longer than the model can take; /reset starts a new context',
  'no credit': 'the account at the provider of the model has no credit left; an operator has to check it',
  'key refused': 'the provider of the model refuses the credential; an operator has to check it',
  'model not known': 'the provider does not know the model; an operator has to check agent.model and its provider',
  'not an API':
    'the address of the provider of the model answers with a web page instead of its API; an operator has to check its base_url and api',
  silent: 'the provider of the model does not respond; try again later',
};
const BUSY = 'the provider of the model receives too many requests at the moment; try again later';
const TOO_MANY_REQUESTS = 429;

/** Returns the reason of a failure in plain words. */
export function explain({ kind, status = 0, retryAfterMs = 0 }: ModelFailure): string {
  const reason = REASONS[kind];
  if (reason !== undefined) return reason;
  if (kind === 'bad request')
    return `the provider of the model did not accept the question (HTTP ${status}); an operator finds more in the log`;
  if (kind === 'unreachable')
    return status === 0
      ? 'the provider of the model cannot be reached; try again later'
      : 'the answer of the model broke off each time; try again later';
  if (retryAfterMs > MAX_RETRY_AFTER_MS)
    return `the provider of the model asks to wait for ${Math.ceil(retryAfterMs / 60_000)} minutes; try again then`;
  if (status < 400 || status === TOO_MANY_REQUESTS) return BUSY;
  return `the provider of the model does not work at the moment (HTTP ${status}); try again later`;
}
