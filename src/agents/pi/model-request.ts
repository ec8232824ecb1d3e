import type { AssistantMessage, AssistantMessageEvent, Context } from '@earendil-works/pi-ai';
import type { Log } from '../../core/telemetry/logs.js';
import { createSecretHider, toOneLine } from '../../core/config/secrets.js';
import type { Trace } from '../../core/telemetry/traceparent.js';
import type { Clock } from '../../core/time/clock.js';
import type { AgentEvent, RequestedCall } from '../../core/turns/agent-runtime.js';
import type { AskOutcome, ModelAnswer } from './ask-outcome.js';
import { Attempt, SeenResponse } from './attempt.js';
import { classify, readError } from './failure-kinds.js';
import { chooseDelayMs, isTransient, type ModelFailure } from './failures.js';
import type { ModelMetrics, RequestMeasure } from './model-metrics.js';
import type { AskableModel } from './pi-models.js';
import { ShownText } from './shown-text.js';
import { withoutThoughts } from './thoughts.js';
import { asFields, parseJson } from './wire/fields.js';

const DEFAULT_RETRIES = 4;
/** The same if another model can answer instead. */
const DEFAULT_RETRIES_WITH_NEXT = 1;
/** Time without an event after which a request ends, in milliseconds: some models think for minutes. */
const DEFAULT_IDLE_MS = 300_000;
/** Time without a byte after which another model is asked, in milliseconds. */
const DEFAULT_FIRST_BYTE_MS = 60_000;
/** Maximum length of a provider's error text in the log, in UTF-16 units. */
const MAX_DETAIL_LENGTH = 500;
/** Maximum length of a provider's error that is searched for its kind, in UTF-16 units. */
const MAX_ERROR_LENGTH = 8_192;
const DECLINED = /refus|filter|sensitive|safety/i;

type ResponseEvents = ReturnType<AskableModel['stream']>;

export interface Question {
  readonly context: Context;
  /** Identifies the conversation, for the provider's cache. */
  readonly sessionId: string;
  readonly signal: AbortSignal;
  /** The trace context of the turn. */
  readonly trace?: Trace | undefined;
  /** True if another model can answer instead: then this one is given up sooner. */
  readonly hasNext: boolean;
}

/** Sends a prompt to a model: yields text as it arrives, and retries after a transient failure. */
export class ModelRequest {
  private readonly hideSecrets: (text: string) => string;

  constructor(
    private readonly target: AskableModel,
    private readonly clock: Clock,
    private readonly log: Log,
    /** Undefined for a request that does not count. */
    private readonly metrics: ModelMetrics | undefined,
  ) {
    const { api_key: key, headers = {} } = target.provider;
    this.hideSecrets = createSecretHider([...(key === undefined ? [] : [key]), ...Object.values(headers)]);
  }

  /** Yields the text; a retry takes back the text of a broken stream. Never throws. */
  async *ask(question: Question): AsyncGenerator<AgentEvent, AskOutcome> {
    const { hasNext } = question;
    const { max_retries: retries = hasNext ? DEFAULT_RETRIES_WITH_NEXT : DEFAULT_RETRIES } = this.target.provider;
    const { provider, id } = this.target.model;
    for (let attempt = 0; ; attempt++) {
      const measure = this.metrics?.begin(this.target.model, question.trace);
      const outcome = yield* this.askOnce(question, measure);
      measure?.end(outcome);
      if (outcome.kind !== 'failed') return outcome;
      const { kind, status, detail, retryAfterMs } = outcome.failure;
      if (attempt >= retries || !isTransient(outcome.failure, hasNext)) {
        this.log.warn({ provider, model: id, kind, status, detail, attempts: attempt + 1 }, 'a model did not answer');
        return outcome;
      }
      const delayMs = chooseDelayMs(attempt, retryAfterMs, Math.random());
      this.log.info(
        { provider, model: id, kind, status, detail, delay_ms: Math.round(delayMs) },
        'a model did not answer and is asked again',
      );
      yield { type: 'restart_answer' };
      await this.clock.sleep(delayMs, question.signal);
      if (question.signal.aborted) return { kind: 'aborted' };
    }
  }

  private async *askOnce(
    question: Question,
    measure: RequestMeasure | undefined,
  ): AsyncGenerator<AgentEvent, AskOutcome> {
    const { signal } = question;
    const attempt = this.beginAttempt(question);
    const seen = new SeenResponse(this.clock, this.target.createCorrector(), () => attempt.noteBytes());
    const rawArguments = new Map<number, string>();
    const shown = new ShownText();
    const fail = (failure: ModelFailure): AskOutcome =>
      signal.aborted
        ? { kind: 'aborted' }
        : { kind: 'failed', failure: attempt.isSilent ? { ...failure, kind: 'silent' } : failure };
    try {
      for await (const event of this.open(question, seen, attempt.signal, measure?.trace)) {
        attempt.noteLife();
        if (event.type === 'text_delta' || event.type === 'toolcall_delta') measure?.notePiece();
        if (event.type === 'text_delta') yield* shown.push(event.contentIndex, event.delta);
        if (event.type === 'toolcall_delta')
          rawArguments.set(event.contentIndex, (rawArguments.get(event.contentIndex) ?? '') + event.delta);
        if (event.type === 'done') {
          yield* shown.end();
          return { kind: 'answer', answer: readAnswer(event.message, rawArguments) };
        }
        if (event.type === 'error') return fail(this.describe(event, seen));
      }
      return fail(this.toFailure('the stream ended without an end', seen));
    } catch (error) {
      return fail(this.toFailure(String(error), seen));
    } finally {
      attempt.end();
    }
  }

  private beginAttempt({ signal, hasNext }: Question): Attempt {
    const { idle_timeout_ms: idleMs = DEFAULT_IDLE_MS, first_byte_timeout_ms: firstByteMs = DEFAULT_FIRST_BYTE_MS } =
      this.target.provider;
    return new Attempt(signal, this.clock, idleMs, hasNext ? firstByteMs : undefined);
  }

  private open(
    { context, sessionId }: Question,
    { fetch }: SeenResponse,
    signal: AbortSignal,
    trace: Trace | undefined,
  ): ResponseEvents {
    const { api_key: apiKey = 'none', headers: configured, thinking } = this.target.provider;
    const headers = trace === undefined ? configured : { ...configured, traceparent: trace };
    return this.target.stream(context, {
      // Local servers need no key, but the SDKs require one.
      apiKey,
      ...(headers ? { headers } : {}),
      ...(thinking ? { reasoning: thinking } : {}),
      fetch,
      maxRetries: 0,
      sessionId,
      signal,
    });
  }

  private describe({ error }: Extract<AssistantMessageEvent, { type: 'error' }>, seen: SeenResponse): ModelFailure {
    const failure = this.toFailure(error.errorMessage ?? 'no reason was given', seen);
    return DECLINED.test(error.rawStopReason ?? '') ? { ...failure, kind: 'declined' } : failure;
  }

  /** @param text pi's description of the failure; the body of a refusal says more */
  private toFailure(text: string, { status, retryAfterMs, refusal, page }: SeenResponse): ModelFailure {
    const describe = (said: string) => toOneLine(this.hideSecrets(said.slice(0, MAX_ERROR_LENGTH)), MAX_DETAIL_LENGTH);
    if (page !== undefined) return { kind: 'not an API', status, detail: describe(page), retryAfterMs };
    const { codes, message } = readError((refusal || text).slice(0, MAX_ERROR_LENGTH));
    const isOverflow = this.target.isOverflow(text);
    return { kind: classify({ status, codes, message, isOverflow }), status, detail: describe(text), retryAfterMs };
  }
}

/**
 * Returns the text and the calls of a message. pi repairs parameters that are not JSON, which can make half a call look
 * complete; so they are parsed from the received text, and text that is not JSON matches no tool's schema.
 */
function readAnswer(message: AssistantMessage, rawArguments: ReadonlyMap<number, string>): ModelAnswer {
  const calls = message.content.flatMap((part, i): RequestedCall[] => {
    if (part.type !== 'toolCall') return [];
    const raw = rawArguments.get(i)?.trim();
    return [{ tool: part.name, parameters: raw ? readParameters(raw) : part.arguments }];
  });
  const content = message.content.flatMap((part): AssistantMessage['content'] => {
    if (part.type !== 'text') return [part];
    const text = withoutThoughts(part.text);
    return text.trim() === '' ? [] : [{ ...part, text }];
  });
  return { message: { ...message, content }, calls };
}

/** Some models write `null` for no parameters, or the object as a text. */
function readParameters(raw: string): unknown {
  const value = parseJson(raw);
  if (value === null) return {};
  if (value === undefined) return raw;
  return (typeof value === 'string' ? asFields(parseJson(value)) : undefined) ?? value;
}
