import { describe, expect, it } from 'vitest';
import { readTraceparent } from '../../core/telemetry/traceparent.js';
import { ManualClock } from '../../testing/manual-clock.js';
import type { EndedSpan } from './otlp-json.js';
import { RecordingTracing } from './recording-tracing.js';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN_ID = '00f067aa0ba902b7';
const RECORDED = `00-${TRACE_ID}-${SPAN_ID}-01`;
const UNRECORDED = `00-${TRACE_ID}-${SPAN_ID}-00`;

function start(sampleRatio = 1) {
  const clock = new ManualClock(1_800_000_000_000);
  const spans: EndedSpan[] = [];
  return { clock, spans, tracing: new RecordingTracing({ clock, sampleRatio, take: (span) => spans.push(span) }) };
}

describe('a recorded span', () => {
  it('[L-27] has the time from its start to its end, whatever happens to the wall clock', () => {
    const { clock, spans, tracing } = start();
    const span = tracing.start('turn');
    clock.advance(250);
    clock.setWallTime(-5_000);
    span.end();
    expect(spans).toMatchObject([{ startedAt: 1_800_000_000_000_000, endedAt: 1_800_000_000_250_000 }]);
  });

  it('that began before it was made ends at the time of the wall clock, and never before its start', () => {
    const { spans, tracing } = start();
    tracing.start('wait in queue', { startedAt: 1_799_999_999_000 }).end();
    tracing.start('wait in queue', { startedAt: 1_800_000_001_000 }).end();
    expect(spans.map(({ startedAt, endedAt }) => endedAt - startedAt)).toEqual([1_000_000, 0]);
  });

  it('continues the trace of its parent, and names another context as a link', () => {
    const { spans, tracing } = start(0);
    const span = tracing.start('turn', { parent: RECORDED, link: UNRECORDED });
    span.end();
    const [ended] = spans;
    expect(ended).toMatchObject({
      traceId: TRACE_ID,
      parentSpanId: SPAN_ID,
      link: { traceId: TRACE_ID, spanId: SPAN_ID },
    });
    expect(span.trace).toBe(`00-${TRACE_ID}-${ended?.spanId}-01`);
  });

  it('ends once', () => {
    const { spans, tracing } = start();
    const span = tracing.start('turn');
    span.end('error');
    span.end();
    expect(spans).toMatchObject([{ isError: true, attributes: { 'error.type': 'error' } }]);
  });

  it('has IDs of its own', () => {
    const { tracing } = start();
    const traces = Array.from({ length: 2_000 }, () => tracing.start('turn').trace);
    expect(new Set(traces.map((trace) => readTraceparent(trace)?.traceId)).size).toBe(2_000);
    expect(new Set(traces.map((trace) => readTraceparent(trace)?.spanId)).size).toBe(2_000);
  });
});

describe('sampling', () => {
  it('[L-25] follows the parent, and passes the context of one that is not recorded on', () => {
    const { spans, tracing } = start(1);
    const span = tracing.start('turn', { parent: UNRECORDED });
    const child = tracing.start('chat', { parent: span.trace });
    child.set({ a: 1 });
    child.end();
    span.end();
    expect([span.trace, child.trace, spans]).toEqual([UNRECORDED, UNRECORDED, []]);
  });

  it('ignores a parent that is none', () => {
    const { spans, tracing } = start();
    tracing.start('turn', { parent: 'nonsense', link: 'nonsense' }).end();
    expect(spans).toMatchObject([{ parentSpanId: undefined, link: undefined }]);
  });

  it.each([
    [0, 0, 0],
    [0.25, 800, 1_200],
    [1, 4_000, 4_000],
  ])('records the share %d of the traces that no parent decides on', (ratio, least, most) => {
    const { spans, tracing } = start(ratio);
    for (let n = 0; n < 4_000; n++) {
      const root = tracing.start('accept message');
      tracing.start('turn', { parent: root.trace }).end();
      root.end();
    }
    expect(spans.length / 2).toBeGreaterThanOrEqual(least);
    expect(spans.length / 2).toBeLessThanOrEqual(most);
  });
});
