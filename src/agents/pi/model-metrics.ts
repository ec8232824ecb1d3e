import { Injectable } from '@nestjs/common';
import type { Model, Usage } from '@earendil-works/pi-ai';
import { AgentsService } from '../../core/agents/agents.service.js';
import { BoundedMap } from '../../core/cache/bounded-map.js';
import { StartStep } from '../../core/lifecycle/steps.js';
import { bindEach, Metrics, type Counter, type Histogram, type Metric } from '../../core/telemetry/metrics.js';
import type { Trace } from '../../core/telemetry/traceparent.js';
import { Tracing, type Span } from '../../core/telemetry/tracing.js';
import { Clock } from '../../core/time/clock.js';
import { FAILURE_KINDS } from './failure-kinds.js';
import type { AskOutcome } from './ask-outcome.js';
import type { PiApi } from './pi-models.js';

/** Number of models whose instruments are kept at hand. */
const MAX_KEPT = 256;

const OUTCOMES = ['answer', 'aborted', ...FAILURE_KINDS] as const;
const TOKENS = ['input', 'output', 'cacheRead', 'cacheWrite'] as const;

interface Instruments {
  readonly outcomes: Readonly<Record<(typeof OUTCOMES)[number], Counter>>;
  readonly tokens: Readonly<Record<(typeof TOKENS)[number], Counter>>;
  readonly seconds: Histogram;
  readonly firstSeconds: Histogram;
}

/** Counts and measures the requests to models: each attempt is one. */
@Injectable()
export class ModelMetrics {
  private readonly byModel = new BoundedMap<string, Instruments>(MAX_KEPT);
  private readonly requests: Metric<'model' | 'outcome', Counter>;
  private readonly tokens: Metric<'model' | 'kind', Counter>;
  private readonly seconds: Metric<'model', Histogram>;
  private readonly firstSeconds: Metric<'model', Histogram>;

  constructor(
    private readonly agents: AgentsService,
    private readonly clock: Clock,
    private readonly tracing: Tracing,
    metrics: Metrics,
  ) {
    this.requests = metrics.counter({
      name: 'openclaw_model_requests_total',
      help: 'Requests to models, by outcome: answer, aborted, or the kind of the failure. A repetition is a request.',
      labels: ['model', 'outcome'],
    });
    this.tokens = metrics.counter({
      name: 'openclaw_model_tokens_total',
      help: 'Tokens of the answers of models, as their providers count them.',
      labels: ['model', 'kind'],
    });
    this.seconds = metrics.histogram({
      name: 'openclaw_model_request_seconds',
      help: 'Duration of requests to models, of those that brought an answer.',
      labels: ['model'],
      buckets: [0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640],
    });
    this.firstSeconds = metrics.histogram({
      name: 'openclaw_model_first_token_seconds',
      help: 'Time from a request to a model to the first piece of its answer.',
      labels: ['model'],
      buckets: [0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64],
    });
  }

  /** Makes the series of the configured models, so that their first failure is an increase. */
  @StartStep({ name: 'prepare metrics of models', phase: 'register' })
  prepare(): void {
    for (const { model, fallbacks } of this.agents.list())
      for (const name of [...(model === undefined ? [] : [model]), ...fallbacks]) this.bind(name);
  }

  /**
   * Measures a request that begins now, and makes its span.
   * @param parent the context of the turn
   */
  begin({ provider, id }: Pick<Model<PiApi>, 'provider' | 'id'>, parent: Trace | undefined): RequestMeasure {
    const span = this.tracing.start(`chat ${id}`, {
      kind: 'client',
      parent,
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': provider,
        'gen_ai.request.model': id,
      },
    });
    return new RequestMeasure(this.bind(`${provider}/${id}`), this.clock, span);
  }

  private bind(model: string): Instruments {
    const known = this.byModel.get(model);
    if (known) return known;
    const requests = { with: ({ outcome }: { outcome: string }) => this.requests.with({ model, outcome }) };
    const tokens = { with: ({ kind }: { kind: string }) => this.tokens.with({ model, kind: toSnakeCase(kind) }) };
    const instruments = {
      outcomes: bindEach(requests, 'outcome', OUTCOMES),
      tokens: bindEach(tokens, 'kind', TOKENS),
      seconds: this.seconds.with({ model }),
      firstSeconds: this.firstSeconds.with({ model }),
    };
    this.byModel.set(model, instruments);
    return instruments;
  }
}

/** Measures and traces one request to a model. */
export class RequestMeasure {
  private readonly startedAt: number;
  private hasBegun = false;

  /** See {@link ModelMetrics.begin}. */
  constructor(
    private readonly instruments: Instruments,
    private readonly clock: Clock,
    private readonly span: Span,
  ) {
    this.startedAt = clock.elapsed();
  }

  /** The context for the provider; undefined if no traces are made. */
  get trace(): Trace | undefined {
    return this.span.trace;
  }

  /** Notes a piece of the answer. */
  notePiece(): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    this.instruments.firstSeconds.observe(this.readSeconds());
  }

  end(outcome: AskOutcome): void {
    const { outcomes, seconds } = this.instruments;
    const kind = outcome.kind === 'failed' ? outcome.failure.kind : outcome.kind;
    outcomes[kind].add();
    if (outcome.kind !== 'answer') return this.span.end(kind);
    const { usage, stopReason } = outcome.answer.message;
    this.span.set({
      'gen_ai.usage.input_tokens': usage.input + usage.cacheRead + usage.cacheWrite,
      'gen_ai.usage.output_tokens': usage.output,
      'gen_ai.response.finish_reasons': stopReason,
    });
    this.span.end();
    seconds.observe(this.readSeconds());
    this.addTokens(outcome.answer.message.usage);
  }

  private addTokens(usage: Usage): void {
    for (const kind of TOKENS) {
      const tokens: unknown = usage[kind];
      // A provider may say anything.
      if (typeof tokens === 'number' && tokens > 0) this.instruments.tokens[kind].add(tokens);
    }
  }

  private readSeconds(): number {
    return (this.clock.elapsed() - this.startedAt) / 1_000;
  }
}

function toSnakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
