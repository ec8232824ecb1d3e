import type { AssistantMessage, AssistantMessageEvent, Context } from '@earendil-works/pi-ai';
import type { Log } from '../../core/telemetry/logs.js';
import { createSecretHider } from '../../core/telemetry/secret-hider.js';
import type { CancelTimer, Clock } from '../../core/time/clock.js';
import type { AgentEvent, RequestedCall } from '../../core/turns/agent-runtime.js';
import { egressFetch } from '../../http/egress-fetch.js';
import { chooseDelayMs, isTransient, readRetryAfter, type ModelFailure } from './failures.js';
import type { AskableModel } from './pi-models.js';

/** How often a question is asked again when no setting says otherwise. */
const DEFAULT_RETRIES = 4;
/** How long a provider may say nothing when no setting says otherwise, in milliseconds: some think for minutes. */
const DEFAULT_IDLE_MS = 300_000;
/** What is logged of a provider's error text, in UTF-16 units. */
const MAX_DETAIL_LENGTH = 500;
const DECLINED = /refus|filter|sensitive|safety/i;

/** What a model said, completely. */
export interface ModelAnswer {
  readonly message: AssistantMessage;
  /** In the order of the message, under the names that the model was told; parameters that are no JSON stay text. */
  readonly calls: readonly RequestedCall[];
}

type ResponseEvents = ReturnType<AskableModel['stream']>;

/** How a question ended; `aborted`: the turn was stopped meanwhile. */
export type AskOutcome =
  | { readonly kind: 'answer'; readonly answer: ModelAnswer }
  | { readonly kind: 'failed'; readonly failure: ModelFailure }
  | { readonly kind: 'aborted' };

export interface Question {
  readonly context: Context;
  /** Ties the questions of a conversation together for the provider's cache. */
  readonly sessionId: string;
  readonly signal: AbortSignal;
}

/** Asks a model: text leaves as it comes, and what failed for the moment is asked again. */
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

  /** Yields what people see; a repetition takes back what a broken stream had shown. Never throws. */
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
    const seen = new SeenResponse(this.clock);
    const attempt = new Attempt(signal, this.clock, this.target.provider.idle_timeout_ms ?? DEFAULT_IDLE_MS);
    const rawArguments = new Map<number, string>();
    let hasText = false;
    try {
      for await (const event of this.open(question, seen, attempt.signal)) {
        attempt.noteLife();
        if (event.type === 'text_start' && hasText) yield { type: 'text', text: '\n\n' };
        if (event.type === 'text_delta') {
          hasText = true;
          yield { type: 'text', text: event.delta };
        }
        if (event.type === 'toolcall_delta')
          rawArguments.set(event.contentIndex, (rawArguments.get(event.contentIndex) ?? '') + event.delta);
        if (event.type === 'done') return { kind: 'answer', answer: readAnswer(event.message, rawArguments) };
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
      // Local servers want no key, and the SDKs insist on one.
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
    return { status, detail, retryAfterMs, declined: false, overflow: this.target.isOverflow(message) };
  }
}

/** One request, which ends with its turn and when nothing comes for too long. */
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

/** What the SDKs do not tell of the HTTP answer. */
class SeenResponse {
  status: number | undefined;
  retryAfterMs: number | undefined;

  constructor(private readonly clock: Clock) {}

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    // A redirect would carry the key to an origin that it was not made for.
    const response = await egressFetch(input, { ...init, redirect: 'error' });
    this.status = response.status;
    this.retryAfterMs = readRetryAfter(response.headers, this.clock.now());
    return response;
  };
}

/**
 * The calls of a message. pi mends parameters that are no JSON, so that half a call could look like a whole one: what
 * came over the wire counts, and text that is no JSON fits no tool's schema.
 */
function readAnswer(message: AssistantMessage, rawArguments: ReadonlyMap<number, string>): ModelAnswer {
  const calls = message.content.flatMap((part, i): RequestedCall[] => {
    if (part.type !== 'toolCall') return [];
    const raw = rawArguments.get(i)?.trim();
    return [{ tool: part.name, parameters: raw ? parseOr(raw) : part.arguments }];
  });
  return { message, calls };
}

function parseOr(raw: string): unknown {
  try {
    return JSON.parse(raw) as unknown;
  } catch {
    return raw;
  }
}
