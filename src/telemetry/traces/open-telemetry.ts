import type * as Api from '@opentelemetry/api';
import { readTraceparent, writeTraceparent, type Trace } from '../../core/telemetry/traceparent.js';
import { Tracing, type Span, type SpanAttributes, type SpanOptions } from '../../core/telemetry/tracing.js';

/** Spans over the API of OpenTelemetry, whatever SDK is behind it. */
export class OpenTelemetryTracing extends Tracing {
  override readonly isOn = true;

  /**
   * @param api the module `@opentelemetry/api`
   * @param tracer of the provider that takes the spans
   */
  constructor(
    private readonly api: typeof Api,
    private readonly tracer: Api.Tracer,
  ) {
    super();
  }

  override start(name: string, { kind, parent, link, startedAt, attributes }: SpanOptions = {}): Span {
    const { ROOT_CONTEXT, trace } = this.api;
    const parentContext = this.toSpanContext(parent);
    const linked = this.toSpanContext(link);
    const span = this.tracer.startSpan(
      name,
      {
        kind: this.toKind(kind),
        ...(startedAt !== undefined && { startTime: startedAt }),
        ...(attributes && { attributes }),
        ...(linked && { links: [{ context: linked }] }),
      },
      parentContext ? trace.setSpanContext(ROOT_CONTEXT, parentContext) : ROOT_CONTEXT,
    );
    return new OpenTelemetrySpan(this.api, span);
  }

  private toSpanContext(context: Trace | undefined): Api.SpanContext | undefined {
    const parts = context === undefined ? undefined : readTraceparent(context);
    if (!parts) return undefined;
    const { NONE, SAMPLED } = this.api.TraceFlags;
    const { traceId, spanId, isRecorded } = parts;
    return { traceId, spanId, traceFlags: isRecorded ? SAMPLED : NONE, isRemote: true };
  }

  private toKind(kind: SpanOptions['kind']): Api.SpanKind {
    const { SpanKind } = this.api;
    const kinds = {
      server: SpanKind.SERVER,
      client: SpanKind.CLIENT,
      producer: SpanKind.PRODUCER,
      consumer: SpanKind.CONSUMER,
    };
    return kind ? kinds[kind] : SpanKind.INTERNAL;
  }
}

class OpenTelemetrySpan implements Span {
  readonly trace: Trace;

  constructor(
    private readonly api: typeof Api,
    private readonly span: Api.Span,
  ) {
    const { traceId, spanId, traceFlags } = span.spanContext();
    const isRecorded = (traceFlags & api.TraceFlags.SAMPLED) !== 0;
    this.trace = writeTraceparent({ traceId, spanId, isRecorded });
  }

  set(attributes: SpanAttributes): void {
    this.span.setAttributes(attributes);
  }

  end(error?: string): void {
    if (error !== undefined) {
      this.span.setAttribute('error.type', error);
      this.span.setStatus({ code: this.api.SpanStatusCode.ERROR });
    }
    this.span.end();
  }
}
