import { GatewayError } from '../../protocol/index.js';

/** A failed request to a model. */
export interface ModelFailure {
  /** The HTTP status; undefined without a response. */
  readonly status: number | undefined;
  /** The provider's text, for the log only. */
  readonly detail: string;
  /** The delay that the provider asks for, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The model refused to answer. */
  readonly declined: boolean;
  /** The prompt exceeds the model's window. */
  readonly overflow: boolean;
}

export const PAYLOAD_TOO_LARGE = 413;
/** Statuses of a refused prompt; a picture in it may be the reason. */
const REFUSED_CONTENT = new Set([400, PAYLOAD_TOO_LARGE, 422]);

/** Returns whether the provider refused the content of the prompt, for another reason than its length. */
export function isRefusedContent({ status, overflow, detail }: ModelFailure): boolean {
  return status !== undefined && REFUSED_CONTENT.has(status) && !overflow && !OUT_OF_CREDIT.test(detail);
}

/** Statuses of a refused credential, an empty account and too many requests, whose texts can match those of an overflow. */
const NEVER_OVERFLOW = new Set([401, 402, 403, 429]);
/** Texts of rate limits: the same request may succeed later. */
const LIMIT_OVER_TIME = /per (second|minute|hour|day)|rate.?limit|daily|quota/i;

/** Returns whether a failure with this status and text can be an overflow; if not, the prompt is not shortened. */
export function mayBeOverflow(status: number | undefined, detail: string): boolean {
  if (status === PAYLOAD_TOO_LARGE) return true;
  return !(status !== undefined && NEVER_OVERFLOW.has(status)) && !LIMIT_OVER_TIME.test(detail);
}

/** The longest delay that a provider may ask for, in milliseconds. */
const MAX_RETRY_AFTER_MS = 60_000;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;

const OUT_OF_CREDIT = /insufficient_quota|billing|credit balance|out of budget|usage limit/i;

/** Returns whether the same request may succeed soon: after overload, a network failure or a truncated stream. */
export function isTransient({ status, detail, declined, overflow, retryAfterMs = 0 }: ModelFailure): boolean {
  if (declined || overflow || OUT_OF_CREDIT.test(detail) || retryAfterMs > MAX_RETRY_AFTER_MS) return false;
  // The stream broke, or there was no response at all.
  if (status === undefined || status < 400) return true;
  return status === 408 || status === 429 || status >= 500;
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

function explain({ status, detail, declined, overflow, retryAfterMs = 0 }: ModelFailure): string {
  if (declined) return 'the model declined to answer';
  if (overflow) return 'the conversation is longer than the model can take; /reset starts a new context';
  if (OUT_OF_CREDIT.test(detail))
    return 'the account at the provider of the model has no credit left; an operator has to check it';
  if (retryAfterMs > MAX_RETRY_AFTER_MS)
    return `the provider of the model asks to wait for ${Math.ceil(retryAfterMs / 60_000)} minutes; try again then`;
  if (status === undefined) return 'the provider of the model cannot be reached; try again later';
  if (status < 400) return 'the answer of the model broke off each time; try again later';
  if (status === 401 || status === 403)
    return 'the provider of the model refuses the credential; an operator has to check it';
  if (status === 404)
    return 'the provider does not know the model; an operator has to check agent.model and its provider';
  if (status === 429) return 'the provider of the model receives too many requests at the moment; try again later';
  if (status === 408 || status >= 500)
    return `the provider of the model does not work at the moment (HTTP ${status}); try again later`;
  return `the provider of the model did not accept the question (HTTP ${status}); an operator finds more in the log`;
}
