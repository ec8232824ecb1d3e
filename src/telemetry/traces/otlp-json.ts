/** The form of spans in OTLP: JSON as the protocol buffers of OpenTelemetry 1.x map to it. */
import type { TraceParts } from '../../core/telemetry/traceparent.js';
import type { SpanAttributes, SpanOptions } from '../../core/telemetry/tracing.js';

const STATUS = { unset: '{"code":0}', error: '{"code":2}' } as const;
const KINDS = { server: 2, client: 3, producer: 4, consumer: 5 } as const;
const INTERNAL = 1;

/** A span that has ended. */
export interface EndedSpan {
  readonly name: string;
  readonly kind: SpanOptions['kind'];
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined if the span begins its trace. */
  readonly parentSpanId: string | undefined;
  readonly link: Pick<TraceParts, 'traceId' | 'spanId'> | undefined;
  /** In Unix microseconds, whole numbers. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: SpanAttributes;
  readonly isError: boolean;
}

/** The fields that all spans of a request share. */
export interface SpanSource {
  /** Facts about this process. */
  readonly resource: SpanAttributes;
  /** The program that made the spans. */
  readonly scope: { readonly name: string; readonly version: string };
}

/**
 * Returns a span as JSON, in bytes: they wait for seconds, and as texts of many parts they would be copied by each collection
 * of garbage.
 */
export function encodeSpan(span: EndedSpan): Buffer {
  const { name, kind, traceId, spanId, parentSpanId, link, startedAt, endedAt, attributes, isError } = span;
  return Buffer.from(
    `{"traceId":"${traceId}","spanId":"${spanId}"${parentSpanId === undefined ? '' : `,"parentSpanId":"${parentSpanId}"`}` +
      `,"name":${JSON.stringify(name)},"kind":${kind ? KINDS[kind] : INTERNAL}` +
      `,"startTimeUnixNano":"${startedAt}000","endTimeUnixNano":"${endedAt}000"` +
      `,"attributes":[${encodeAttributes(attributes)}]` +
      (link ? `,"links":[{"traceId":"${link.traceId}","spanId":"${link.spanId}"}]` : '') +
      `,"status":${isError ? STATUS.error : STATUS.unset}}`,
  );
}

const COMMA = Buffer.from(',');

/** Returns the body of a request to a collector. @param spans of {@link encodeSpan} */
export function encodeRequest({ resource, scope }: SpanSource, spans: readonly Buffer[]): Buffer {
  return Buffer.concat([
    Buffer.from(
      `{"resourceSpans":[{"resource":{"attributes":[${encodeAttributes(resource)}]}` +
        `,"scopeSpans":[{"scope":${JSON.stringify(scope)},"spans":[`,
    ),
    ...spans.flatMap((span, n) => (n === 0 ? [span] : [COMMA, span])),
    Buffer.from(']}]}]}'),
  ]);
}

function encodeAttributes(attributes: SpanAttributes): string {
  let text = '';
  for (const name in attributes) {
    const value = attributes[name];
    if (value !== undefined)
      text += `${text === '' ? '' : ','}{"key":${JSON.stringify(name)},"value":${encodeValue(value)}}`;
  }
  return text;
}

function encodeValue(value: SpanAttributes[string]): string {
  if (typeof value === 'string') return `{"stringValue":${JSON.stringify(value)}}`;
  if (typeof value === 'boolean') return `{"boolValue":${value}}`;
  if (Number.isSafeInteger(value)) return `{"intValue":${value}}`;
  // JSON has no form for what is not finite; OTLP takes the names as texts.
  return `{"doubleValue":${Number.isFinite(value) ? value : `"${value}"`}}`;
}
