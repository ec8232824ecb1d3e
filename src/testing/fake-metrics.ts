import {
  Metrics,
  type Counter,
  type Gauge,
  type Histogram,
  type HistogramOptions,
  type Metric,
  type MetricOptions,
} from '../core/telemetry/metrics.js';

const NAME = /^openclaw(_[a-z0-9]+)+$/;

type Kind = 'counter' | 'gauge' | 'histogram';

interface Series {
  readonly kind: Kind;
  readonly labels: readonly string[];
  /** Values by label values, in the order of declaration. */
  readonly values: Map<string, number[]>;
}

/** Records the values of metrics, and throws where an engine for Prometheus would. */
export class FakeMetrics extends Metrics {
  private readonly series = new Map<string, Series>();

  override counter<L extends string = never>(options: MetricOptions<L>): Metric<L, Counter> {
    if (!options.name.endsWith('_total')) throw new Error(`${options.name}: the name of a counter ends in _total`);
    return this.declare('counter', options, (values) => ({
      add: (by = 1) => {
        if (!(by >= 0)) throw new Error(`${options.name}: a counter only grows`);
        values[0] = (values[0] ?? 0) + by;
      },
    }));
  }

  override gauge<L extends string = never>(options: MetricOptions<L>): Metric<L, Gauge> {
    return this.declare('gauge', options, (values) => ({ set: (value) => void (values[0] = value) }));
  }

  override histogram<L extends string = never>(options: HistogramOptions<L>): Metric<L, Histogram> {
    return this.declare('histogram', options, (values) => ({ observe: (value) => void values.push(value) }));
  }

  /** Returns the value of a counter or gauge, 0 if it was never set. @throws Error when it was never declared */
  read(name: string, labels: Readonly<Record<string, string>> = {}): number {
    return this.find(name, labels)[0] ?? 0;
  }

  /** Returns all observed values of a histogram. @throws Error when it was never declared */
  readObserved(name: string, labels: Readonly<Record<string, string>> = {}): readonly number[] {
    return this.find(name, labels);
  }

  private declare<L extends string, I>(
    kind: Kind,
    { name, help, labels = [] }: MetricOptions<L>,
    build: (values: number[]) => I,
  ): Metric<L, I> {
    if (!NAME.test(name) || help === '') throw new Error(`${name}: a metric is openclaw_... and has a help text`);
    const series = this.series.get(name) ?? { kind, labels, values: new Map<string, number[]>() };
    if (series.kind !== kind || series.labels.join() !== labels.join())
      throw new Error(`${name} is declared twice, differently`);
    this.series.set(name, series);
    return { with: (values) => build(this.find(name, values)) };
  }

  private find(name: string, labels: Readonly<Record<string, string>>): number[] {
    const series = this.series.get(name);
    if (!series) throw new Error(`${name} was not declared`);
    if (Object.keys(labels).toSorted().join() !== series.labels.toSorted().join())
      throw new Error(`${name} has the labels ${series.labels.join(', ')}`);
    const key = JSON.stringify(series.labels.map((label) => labels[label]));
    const values = series.values.get(key) ?? [];
    series.values.set(key, values);
    return values;
  }
}
