import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bindEach } from '../core/telemetry/metrics.js';
import { MAX_LABEL_VALUES, OTHER } from './label-values.js';
import { MAX_SERIES, PrometheusMetrics } from './prometheus-metrics.js';
import { findSample, parsePrometheusText } from '../../test/support/prometheus-text.js';

const calls = { name: 'openclaw_calls_total', help: 'Calls.', labels: ['tool'] as const };
const seconds = { name: 'openclaw_call_seconds', help: 'Duration.', buckets: [0.1, 1] };

/** The dropped values, as they are served. */
const readDropped = (metrics: PrometheusMetrics) => findSample(metrics.render(), 'openclaw_metrics_dropped_total');

describe('the metrics for Prometheus', () => {
  it('are written in its text format', () => {
    const metrics = new PrometheusMetrics();
    metrics.counter(calls).with({ tool: 'echo' }).add();
    metrics.gauge({ name: 'openclaw_open', help: 'Open\nones, with a \\.' }).with({}).set(-2.5);
    const histogram = metrics.histogram(seconds).with({});
    for (const value of [0.05, 0.1, 0.5, 3]) histogram.observe(value);
    expect(metrics.render()).toBe(
      [
        '# HELP openclaw_call_seconds Duration.',
        '# TYPE openclaw_call_seconds histogram',
        'openclaw_call_seconds_bucket{le="0.1"} 2',
        'openclaw_call_seconds_bucket{le="1"} 3',
        'openclaw_call_seconds_bucket{le="+Inf"} 4',
        'openclaw_call_seconds_sum 3.65',
        'openclaw_call_seconds_count 4',
        '# HELP openclaw_calls_total Calls.',
        '# TYPE openclaw_calls_total counter',
        'openclaw_calls_total{tool="echo"} 1',
        '# HELP openclaw_open Open\\nones, with a \\\\.',
        '# TYPE openclaw_open gauge',
        'openclaw_open -2.5',
        '# HELP openclaw_metrics_dropped_total Values and labels that no metric could take.',
        '# TYPE openclaw_metrics_dropped_total counter',
        'openclaw_metrics_dropped_total 0',
        '# HELP openclaw_metrics_series Combinations of labels of all metrics.',
        '# TYPE openclaw_metrics_series gauge',
        'openclaw_metrics_series 3',
        '',
      ].join('\n'),
    );
  });

  it('have a label with the buckets of a histogram', () => {
    const metrics = new PrometheusMetrics();
    metrics
      .histogram({ ...seconds, labels: ['tool'] })
      .with({ tool: 'echo' })
      .observe(0.5);
    expect(findSample(metrics.render(), 'openclaw_call_seconds_bucket{tool="echo",le="1"}')).toBe(1);
  });

  it('exist with 0 from the moment they are bound, so that the first error is an increase', () => {
    const metrics = new PrometheusMetrics();
    bindEach(metrics.counter(calls), 'tool', ['echo', 'time.now']);
    expect(findSample(metrics.render(), 'openclaw_calls_total{tool="time.now"}')).toBe(0);
  });

  it('are the same series for all callers with the same labels', () => {
    const metrics = new PrometheusMetrics();
    metrics.counter(calls).with({ tool: 'echo' }).add();
    metrics.counter(calls).with({ tool: 'echo' }).add(2);
    expect(findSample(metrics.render(), 'openclaw_calls_total{tool="echo"}')).toBe(3);
  });

  it('are refused at the start when their declaration is wrong', () => {
    const metrics = new PrometheusMetrics();
    metrics.counter(calls);
    expect(() => metrics.counter({ ...calls, labels: ['code'] })).toThrow('declared twice');
    expect(() => metrics.gauge(calls)).toThrow('declared twice');
    expect(() => metrics.counter({ name: 'openclaw_calls', help: 'Calls.' })).toThrow('_total');
    expect(() => metrics.gauge({ name: 'calls', help: 'Calls.' })).toThrow('openclaw');
    expect(() => metrics.gauge({ name: 'openclaw_x', help: 'X.', labels: ['le'] })).toThrow('label le');
    expect(() => metrics.histogram({ name: 'openclaw_x', help: 'X.', buckets: [1, 1] })).toThrow('ascend');
  });
});

describe('the number of series', () => {
  it('is bounded: names beyond the first hundred of a label share one', () => {
    const metrics = new PrometheusMetrics();
    const counter = metrics.counter(calls);
    for (let i = 0; i < 5_000; i++) counter.with({ tool: `tool${i}` }).add();
    const text = metrics.render();
    expect(findSample(text, `openclaw_calls_total{tool="${OTHER}"}`)).toBe(5_000 - MAX_LABEL_VALUES);
    expect(findSample(text, 'openclaw_metrics_series')).toBe(MAX_LABEL_VALUES + 1);
    // The names of one label are the same in all metrics.
    const other = metrics.counter({ ...calls, name: 'openclaw_other_total' });
    other.with({ tool: 'late' }).add();
    expect(findSample(metrics.render(), `openclaw_other_total{tool="${OTHER}"}`)).toBe(1);
  });

  it('is bounded over all metrics', () => {
    const metrics = new PrometheusMetrics();
    const counter = metrics.counter({ name: 'openclaw_many_total', help: 'Many.', labels: ['a', 'b', 'c'] });
    const values = Array.from({ length: 25 }, (_, i) => String(i));
    for (const a of values) for (const b of values) for (const c of values) counter.with({ a, b, c }).add();
    const text = metrics.render();
    expect(findSample(text, 'openclaw_metrics_series')).toBe(MAX_SERIES);
    expect(findSample(text, 'openclaw_metrics_dropped_total')).toBe(2 * (25 ** 3 - MAX_SERIES));
  });
});

describe('what spoils a series', () => {
  interface Input {
    readonly calls: readonly { readonly call: string; readonly value?: string | null }[];
  }
  const input = JSON.parse(readFileSync('test/inputs/telemetry/E26-metric-values.json', 'utf8')) as Input;
  /** The value of a call: JavaScript in a text. */
  const VALUES: Readonly<Record<string, unknown>> = { NaN, Infinity, undefined };
  const valueOf = (value: string | null | undefined) =>
    value === null || value === undefined
      ? undefined
      : value in VALUES
        ? VALUES[value]
        : (JSON.parse(value) as unknown);

  it.each(input.calls.map(({ call, value }) => [call, value]))('[L-20] is dropped and counted: %s %s', (call, text) => {
    const metrics = new PrometheusMetrics();
    const value = valueOf(text) as never;
    const counter = metrics.counter(calls);
    const histogram = metrics.histogram(seconds).with({});
    const gauge = metrics.gauge({ name: 'openclaw_open', help: 'Open.' }).with({});
    histogram.observe(0.5);
    counter.with({ tool: 'echo' }).add();
    if (call === 'observe') histogram.observe(value);
    else if (call === 'inc') {
      // Without a value it counts one.
      counter.with({ tool: 'echo' }).add(value);
    } else if (call === 'set') gauge.set(value);
    else counter.with(value).add();

    const served = metrics.render();
    // Throws for NaN.
    parsePrometheusText(served);
    expect(findSample(served, 'openclaw_call_seconds_sum')).toBe(0.5);
    expect(findSample(served, 'openclaw_calls_total{tool="echo"}')).toBe(1);
    const isTaken = call === 'label value with newline and quote';
    if (isTaken) expect(findSample(served, 'openclaw_calls_total{tool="a\\n\\"b"}')).toBe(1);
    else expect(readDropped(metrics)).toBeGreaterThan(0);
  });

  it('[L-20] includes labels that are missing', () => {
    const metrics = new PrometheusMetrics();
    metrics
      .counter(calls)
      .with({} as never)
      .add();
    expect(readDropped(metrics)).toBe(2);
  });
});
