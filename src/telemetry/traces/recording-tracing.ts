import { readTraceparent, writeTraceparent, type Trace } from '../../core/telemetry/traceparent.js';
import { Tracing, type Span, type SpanAttributes, type SpanOptions } from '../../core/telemetry/tracing.js';
import type { Clock } from '../../core/time/clock.js';
import type { EndedSpan } from './otlp-json.js';
import { RandomIds } from './random-ids.js';

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
/** Hexadecimal digits at the end of a trace ID that are random, by the W3C's level 2, and their number of values. */
const RANDOM_DIGITS = 14;
const RANDOM_VALUES = 2 ** (4 * RANDOM_DIGITS);

/** The parts of the gateway that spans are made with. */
export interface RecordingParts {
  readonly clock: Clock;
  /** Share of the traces that are recorded, from 0 to 1, of those without a parent. */
  readonly sampleRatio: number;
  /** Takes a recorded span that has ended. */
  readonly take: (span: EndedSpan) => void;
}

/**
 * Records spans for an export. A trace is recorded as its parent says, or, without one, by a share of the IDs. A span that is
 * not recorded is its context only.
 */
export class RecordingTracing extends Tracing {
  override readonly isOn = true;
  private readonly ids = new RandomIds();

  constructor(private readonly parts: RecordingParts) {
    super();
  }

  override start(name: string, options: SpanOptions = {}): Span {
    const parent = options.parent === undefined ? undefined : readTraceparent(options.parent);
    // The parent's context is passed on: there is no span to come between.
    if (parent && !parent.isRecorded) return new UnrecordedSpan(options.parent as Trace);
    const traceId = parent?.traceId ?? this.ids.next(TRACE_ID_BYTES);
    const spanId = this.ids.next(SPAN_ID_BYTES);
    if (!parent && !this.isSampled(traceId))
      return new UnrecordedSpan(writeTraceparent({ traceId, spanId, isRecorded: false }));
    return new RecordedSpan(this.parts, name, options, { traceId, spanId, parentSpanId: parent?.spanId });
  }

  private isSampled(traceId: string): boolean {
    const { sampleRatio } = this.parts;
    if (sampleRatio >= 1) return true;
    return Number.parseInt(traceId.slice(-RANDOM_DIGITS), 16) < sampleRatio * RANDOM_VALUES;
  }
}

class UnrecordedSpan implements Span {
  constructor(readonly trace: Trace) {}

  set(): void {}

  end(): void {}
}

class RecordedSpan implements Span {
  readonly trace: Trace;
  private readonly startedAt: number;
  /** On the monotonic clock; undefined if the span began before it was made. */
  private readonly startedElapsed: number | undefined;
  private attributes: SpanAttributes;
  private hasEnded = false;

  constructor(
    private readonly parts: RecordingParts,
    private readonly name: string,
    private readonly options: SpanOptions,
    private readonly ids: Pick<EndedSpan, 'traceId' | 'spanId' | 'parentSpanId'>,
  ) {
    const { clock } = parts;
    const { startedAt, attributes } = options;
    this.trace = writeTraceparent({ ...ids, isRecorded: true });
    this.startedAt = startedAt ?? clock.now();
    this.startedElapsed = startedAt === undefined ? clock.elapsed() : undefined;
    this.attributes = attributes ?? {};
  }

  set(attributes: SpanAttributes): void {
    this.attributes = { ...this.attributes, ...attributes };
  }

  end(error?: string): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    const { clock, take } = this.parts;
    const { kind, link } = this.options;
    if (error !== undefined) this.set({ 'error.type': error });
    // The wall clock may have been set meanwhile.
    const endedAt =
      this.startedElapsed === undefined
        ? Math.max(clock.now(), this.startedAt)
        : this.startedAt + clock.elapsed() - this.startedElapsed;
    take({
      ...this.ids,
      name: this.name,
      kind,
      link: link === undefined ? undefined : readTraceparent(link),
      startedAt: toMicroseconds(this.startedAt),
      endedAt: toMicroseconds(endedAt),
      attributes: this.attributes,
      isError: error !== undefined,
    });
  }
}

function toMicroseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1_000);
}
