import { GatewayError } from '../../protocol/index.js';

/** How a question to a model went wrong. */
export interface ModelFailure {
  /** The HTTP status of the answer; undefined when there was none. */
  readonly status: number | undefined;
  /** For the log; never for people. */
  readonly detail: string;
  /** The provider's wish, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The model itself ended its answer as refused. */
  readonly declined: boolean;
  /** The question was longer than the model takes. */
  readonly overflow: boolean;
}

export const PAYLOAD_TOO_LARGE = 413;
/** Statuses of a question that a provider does not take: one of its pictures may be the reason. */
const REFUSED_CONTENT = new Set([400, PAYLOAD_TOO_LARGE, 422]);

/** Whether the provider refused the question for what it holds, without saying that it is too long. */
export function isRefusedContent({ status, overflow, detail }: ModelFailure): boolean {
  return status !== undefined && REFUSED_CONTENT.has(status) && !overflow && !OUT_OF_CREDIT.test(detail);
}

/** Statuses of a refused credential, an empty account and too many requests; their words may sound like an overflow. */
const NEVER_OVERFLOW = new Set([401, 402, 403, 429]);
/** Words of a limit over time: the same question may pass later. */
const LIMIT_OVER_TIME = /per (second|minute|hour|day)|rate.?limit|daily|quota/i;

/** Whether a failure with this status and text can be an overflow, which shortens the question. */
export function mayBeOverflow(status: number | undefined, detail: string): boolean {
  if (status === PAYLOAD_TOO_LARGE) return true;
  return !(status !== undefined && NEVER_OVERFLOW.has(status)) && !LIMIT_OVER_TIME.test(detail);
}

/** The longest wait that a provider may ask for, in milliseconds. */
const LONGEST_RETRY_AFTER_MS = 60_000;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;

const OUT_OF_CREDIT = /insufficient_quota|billing|credit balance|out of budget|usage limit/i;

/** Whether the same question may go well in a moment: overload, a broken wire, a stream that was cut. */
export function isTransient({ status, detail, declined, overflow, retryAfterMs = 0 }: ModelFailure): boolean {
  if (declined || overflow || OUT_OF_CREDIT.test(detail) || retryAfterMs > LONGEST_RETRY_AFTER_MS) return false;
  // Something went wrong after a good beginning, or before there was any.
  if (status === undefined || status < 400) return true;
  return status === 408 || status === 429 || status >= 500;
}

/**
 * How long to wait before asking again, in milliseconds: what the provider asks for, else twice as long each time, with
 * up to half of it left to chance, so that those who failed together do not come back together.
 * @param attempt 0 for the first repetition
 * @param random from 0 to 1
 */
export function chooseDelayMs(attempt: number, retryAfterMs: number | undefined, random: number): number {
  if (retryAfterMs !== undefined) return retryAfterMs;
  return Math.min(FIRST_DELAY_MS * 2 ** attempt, LONGEST_DELAY_MS) * (1 - random / 2);
}

/** `Retry-After` (seconds or a date, RFC 9110 section 10.2.3) and `retry-after-ms`, in milliseconds from `now`. */
export function readRetryAfter(headers: Headers, now: number): number | undefined {
  const precise = Number.parseFloat(headers.get('retry-after-ms') ?? '');
  if (precise >= 0) return precise;
  const text = headers.get('retry-after');
  if (!text) return undefined;
  const delayMs = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(delayMs) ? undefined : Math.max(0, delayMs);
}

/** What people are told: plain words, nothing of the provider's own text, which may hold anything. */
export function toAgentError(failure: ModelFailure): GatewayError<'AGENT_FAILED'> {
  return new GatewayError('AGENT_FAILED', { reason: explain(failure) }, { cause: new Error(failure.detail) });
}

function explain({ status, detail, declined, overflow, retryAfterMs = 0 }: ModelFailure): string {
  if (declined) return 'the model declined to answer';
  if (overflow) return 'the conversation is longer than the model can take; /reset starts afresh';
  if (OUT_OF_CREDIT.test(detail))
    return 'the account at the provider of the model has no credit left; an operator has to look after it';
  if (retryAfterMs > LONGEST_RETRY_AFTER_MS)
    return `the provider of the model asks to wait for ${Math.ceil(retryAfterMs / 60_000)} minutes; try again then`;
  if (status === undefined) return 'the provider of the model cannot be reached; try again later';
  if (status < 400) return 'the answer of the model broke off each time; try again later';
  if (status === 401 || status === 403)
    return 'the provider of the model refuses the credential; an operator has to look after it';
  if (status === 404)
    return 'the provider does not know the model; an operator has to look after agent.model and its provider';
  if (status === 429) return 'the provider of the model is asked too often at the moment; try again later';
  if (status === 408 || status >= 500)
    return `the provider of the model does not work at the moment (HTTP ${status}); try again later`;
  return `the provider of the model did not accept the question (HTTP ${status}); an operator finds more in the log`;
}
