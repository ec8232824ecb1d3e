import { Injectable } from '@nestjs/common';
import { Clock } from '../../core/time/clock.js';
import type { FailureKind } from './failure-kinds.js';
import { splitModel } from './providers.js';

const FIRST_REST_MS = 30_000;
const MAX_REST_MS = 300_000;

interface Rest {
  readonly kind: FailureKind;
  readonly startedAt: number;
  readonly durationMs: number;
}

/** A provider, or one model of it, that rests. */
export interface Resting {
  /** `provider` or `provider/model`. */
  readonly name: string;
  readonly kind: FailureKind;
  readonly remainingMs: number;
}

/** A request to a model, for {@link ModelRest.noteFailure} and {@link ModelRest.noteAnswer}. */
export interface AskedModel {
  /** `provider/model` */
  readonly model: string;
  /** {@link Clock.elapsed} when the request began. */
  readonly askedAt: number;
}

/**
 * The providers that failed and rest for a time: 30 s, doubled with each further failure to 5 minutes. If a provider does
 * not know a model, only that model rests. Rest changes the order in which models are asked and nothing else. Each
 * replica has its own.
 */
@Injectable()
export class ModelRest {
  private readonly rests = new Map<string, Rest>();

  constructor(private readonly clock: Clock) {}

  /** Returns `models` in the order to ask them: those that rest come last, sorted by the end of their rest. */
  order(models: readonly string[]): string[] {
    const now = this.clock.elapsed();
    return models
      .map((model) => ({ model, until: this.restsUntil(model, now) }))
      .toSorted((a, b) => a.until - b.until)
      .map(({ model }) => model);
  }

  /** Begins a rest and returns it; returns undefined if the request is from before the last rest. */
  noteFailure({ model, askedAt }: AskedModel, kind: FailureKind): Resting | undefined {
    const name = kind === 'model not known' ? model : splitModel(model).provider;
    const startedAt = this.clock.elapsed();
    this.forgetOld(startedAt);
    const last = this.rests.get(name);
    // Requests that failed together are one failure.
    if (last && last.startedAt > askedAt) return undefined;
    const durationMs = last ? Math.min(2 * last.durationMs, MAX_REST_MS) : FIRST_REST_MS;
    this.rests.set(name, { kind, startedAt, durationMs });
    return { name, kind, remainingMs: durationMs };
  }

  /** Ends the rest of a model that has answered, unless it was asked before the rest began. */
  noteAnswer({ model, askedAt }: AskedModel): void {
    for (const name of [model, splitModel(model).provider]) {
      const rest = this.rests.get(name);
      if (rest && rest.startedAt <= askedAt) this.rests.delete(name);
    }
  }

  /** Returns the rest of a model or of its provider; undefined if neither rests. */
  find(model: string): Resting | undefined {
    const { provider } = splitModel(model);
    return this.list().find(({ name }) => name === model || name === provider);
  }

  /** Returns the rests that have not ended. */
  list(): Resting[] {
    const now = this.clock.elapsed();
    return [...this.rests].flatMap(([name, { kind, startedAt, durationMs }]) => {
      const remainingMs = startedAt + durationMs - now;
      return remainingMs > 0 ? [{ name, kind, remainingMs }] : [];
    });
  }

  /** Returns the end of a model's rest; 0 if it does not rest. */
  private restsUntil(model: string, now: number): number {
    return [model, splitModel(model).provider].reduce((until, name) => {
      const rest = this.rests.get(name);
      const end = rest ? rest.startedAt + rest.durationMs : 0;
      return end > now ? Math.max(until, end) : until;
    }, 0);
  }

  /** A failure long after the last rest is not a further one. Models of any name could fail, so they must not accumulate. */
  private forgetOld(now: number): void {
    for (const [name, { startedAt, durationMs }] of this.rests)
      if (startedAt + durationMs + MAX_REST_MS < now) this.rests.delete(name);
  }
}
