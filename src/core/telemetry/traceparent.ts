/**
 * A W3C trace context as it is passed on (`traceparent`): `00`, the ID of the trace, the ID of the span, and flags, of which the
 * last bit says whether the trace is recorded.
 */
export type Trace = string;

/** The parts of a {@link Trace}. */
export interface TraceParts {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly isRecorded: boolean;
}

/** Version, trace ID, span ID, flags; later versions may add fields. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** Maximum length of a trace context that is read, in UTF-16 units. */
const MAX_LENGTH = 512;
const RECORDED = 1;

/** Reads a trace context that a peer sent. Returns undefined for anything else: a message is never refused for it. */
export function readTraceparent(value: unknown): TraceParts | undefined {
  if (typeof value !== 'string' || value.length > MAX_LENGTH) return undefined;
  const [, version, traceId, spanId, flags = '', rest] = TRACEPARENT.exec(value) ?? [];
  if (traceId === undefined || spanId === undefined || (version === '00' && rest !== undefined)) return undefined;
  return { traceId, spanId, isRecorded: (Number.parseInt(flags, 16) & RECORDED) !== 0 };
}

/** Writes a trace context. */
export function writeTraceparent({ traceId, spanId, isRecorded }: TraceParts): Trace {
  return `00-${traceId}-${spanId}-${isRecorded ? '01' : '00'}`;
}
