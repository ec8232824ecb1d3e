import type { Trace } from './traceparent.js';

/** Facts about a span. They must not contain secrets, texts of messages, or people. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  /** `server`: a request of a peer; `client`: a request to one; `internal` by default. */
  readonly kind?: 'server' | 'client' | 'producer' | 'consumer';
  /** The context that the span belongs to. Without one it begins a trace, by the gateway's own sampling. */
  readonly parent?: Trace | undefined;
  /** Another context that has to do with the span. */
  readonly link?: Trace | undefined;
  /** In Unix milliseconds; now by default. */
  readonly startedAt?: number;
  readonly attributes?: SpanAttributes;
}

/** One step of a trace. Its methods never throw. */
export interface Span {
  /** The context to pass on; undefined without an engine. */
  readonly trace: Trace | undefined;
  set(attributes: SpanAttributes): void;
  /** Ends the span. @param error the kind of the failure, if it is one: a code, not a text */
  end(error?: string): void;
}

/**
 * Makes the spans of the gateway. A span is made by hand where its step runs, and its context is passed on as a text, so that it
 * can be stored with a message.
 */
export abstract class Tracing {
  /** False without an engine. Check this before work that only spans need. */
  abstract readonly isOn: boolean;
  abstract start(name: string, options?: SpanOptions): Span;
}

const nothing: Span = { trace: undefined, set() {}, end() {} };

/** Traces nothing; the default. */
export class NoTracing extends Tracing {
  override readonly isOn = false;

  override start(): Span {
    return nothing;
  }
}
