import type { AssistantMessage, AssistantMessageEvent, Context } from '@earendil-works/pi-ai';
import type { Log } from '../../core/telemetry/logs.js';
import { createSecretHider } from '../../core/config/secrets.js';
import type { CancelTimer, Clock } from '../../core/time/clock.js';
import type { AgentEvent, RequestedCall } from '../../core/turns/agent-runtime.js';
import { egressFetch } from '../../http/egress-fetch.js';
import { chooseDelayMs, isTransient, mayBeOverflow, readRetryAfter, type ModelFailure } from './failures.js';
import type { AskableModel } from './pi-models.js';
import { ShownText } from './shown-text.js';
import { withoutThoughts } from './thoughts.js';
import { asFields, parseJson } from './wire/fields.js';
import { correctEvents, type EventCorrector } from './wire/sse.js';

const DEFAULT_RETRIES = 4;
/** Time without an event after which a request ends, in milliseconds: some models think for minutes. */
const DEFAULT_IDLE_MS = 300_000;
/** Maximum length of a provider's error text in the log, in UTF-16 units. */
const MAX_DETAIL_LENGTH = 500;
const DECLINED = /refus|filter|sensitive|safety/i;

/** A complete answer of a model. */
export interface ModelAnswer {
  readonly message: AssistantMessage;
  /** In the order of the message, under the names that the model knows; parameters that are not JSON stay text. */
  readonly calls: readonly RequestedCall[];
}

type ResponseEvents = ReturnType<AskableModel['stream']>;

/** The outcome of a request; `aborted` if the turn ended meanwhile. */
export type AskOutcome =
  | { readonly kind: 'answer'; readonly answer: ModelAnswer }
  | { readonly kind: 'failed'; readonly failure: ModelFailure }
  | { readonly kind: 'aborted' };

export interface Question {
  readonly context: Context;
  /** Identifies the conversation, for the provider's cache. */
  readonly sessionId: string;
  readonly signal: AbortSignal;
}

/** Sends a prompt to a model: yields text as it arrives, and retries after a transient failure. */
export class ModelRequest {
  private readonly hideSecrets: (text: string) => string;

  constructor(
    private readonly target: AskableModel,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    const { api_key: key, headers = {} } = target.provider;
    this.hideSecrets = createSecretHider([...(key === undefined ? [] : [key]), ...Object.values(headers)]);
  }

  /** Yields the text; a retry takes back the text of a broken stream. Never throws. */
  async *ask(question: Question): AsyncGenerator<AgentEvent, AskOutcome> {
    const { max_retries: retries = DEFAULT_RETRIES } = this.target.provider;
    for (let attempt = 0; ; attempt++) {
      const outcome = yield* this.askOnce(question);
      if (outcome.kind !== 'failed') return outcome;
      const { status, detail, retryAfterMs } = outcome.failure;
      const { provider, id } = this.target.model;
      if (attempt >= retries || !isTransient(outcome.failure)) {
        this.log.warn({ provider, model: id, status, detail, attempts: attempt + 1 }, 'a model did not answer');
        return outcome;
      }
      const delayMs = chooseDelayMs(attempt, retryAfterMs, Math.random());
      this.log.info(
        { provider, model: id, status, detail, delay_ms: Math.round(delayMs) },
        'a model did not answer and is asked again',
      );
      yield { type: 'restart_answer' };
      await this.clock.sleep(delayMs, question.signal);
      if (question.signal.aborted) return { kind: 'aborted' };
    }
  }

  private async *askOnce(question: Question): AsyncGenerator<AgentEvent, AskOutcome> {
    const { signal } = question;
    const seen = new SeenResponse(this.clock, this.target.createCorrector());
    const attempt = new Attempt(signal, this.clock, this.target.provider.idle_timeout_ms ?? DEFAULT_IDLE_MS);
    const rawArguments = new Map<number, string>();
    const shown = new ShownText();
    try {
      for await (const event of this.open(question, seen, attempt.signal)) {
        attempt.noteLife();
        if (event.type === 'text_delta') yield* shown.push(event.contentIndex, event.delta);
        if (event.type === 'toolcall_delta')
          rawArguments.set(event.contentIndex, (rawArguments.get(event.contentIndex) ?? '') + event.delta);
        if (event.type === 'done') {
          yield* shown.end();
          return { kind: 'answer', answer: readAnswer(event.message, rawArguments) };
        }
        if (event.type === 'error')
          return signal.aborted ? { kind: 'aborted' } : { kind: 'failed', failure: this.describe(event, seen) };
      }
      return { kind: 'failed', failure: this.toFailure('the stream ended without an end', seen) };
    } catch (error) {
      return signal.aborted ? { kind: 'aborted' } : { kind: 'failed', failure: this.toFailure(String(error), seen) };
    } finally {
      attempt.end();
    }
  }

  private open({ context, sessionId }: Question, { fetch }: SeenResponse, signal: AbortSignal): ResponseEvents {
    const { api_key: apiKey = 'none', headers, thinking } = this.target.provider;
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
    return { ...failure, declined: DECLINED.test(error.rawStopReason ?? '') };
  }

  private toFailure(message: string, { status, retryAfterMs }: SeenResponse): ModelFailure {
    const detail = this.hideSecrets(message).slice(0, MAX_DETAIL_LENGTH);
    const overflow = mayBeOverflow(status, message) && this.target.isOverflow(message);
    return { status, detail, retryAfterMs, declined: false, overflow };
  }
}

/** One request: it ends with its turn, or after a time without events. */
class Attempt {
  private readonly controller = new AbortController();
  private readonly onStop = () => this.controller.abort();
  private cancelTimer: CancelTimer;

  constructor(
    private readonly stop: AbortSignal,
    private readonly clock: Clock,
    private readonly idleMs: number,
  ) {
    if (stop.aborted) this.controller.abort();
    stop.addEventListener('abort', this.onStop);
    this.cancelTimer = clock.setTimer(idleMs, this.onStop);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  noteLife(): void {
    this.cancelTimer();
    this.cancelTimer = this.clock.setTimer(this.idleMs, this.onStop);
  }

  end(): void {
    this.cancelTimer();
    this.stop.removeEventListener('abort', this.onStop);
  }
}

/** The HTTP response to one request: status and `Retry-After`, which the SDKs hide, and the corrected events. */
class SeenResponse {
  status: number | undefined;
  retryAfterMs: number | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly corrector: EventCorrector,
  ) {}

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    // A redirect would carry the key to an origin that it was not made for.
    const response = await egressFetch(input, { ...init, redirect: 'error' });
    this.status = response.status;
    this.retryAfterMs = readRetryAfter(response.headers, this.clock.now());
    return correctEvents(response, this.corrector);
  };
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
