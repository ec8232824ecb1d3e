/** A number that only grows. */
export interface Counter {
  add(by?: number): void;
}

/** A number that goes up and down. */
export interface Gauge {
  set(value: number): void;
}

/** Counts values by size. */
export interface Histogram {
  observe(value: number): void;
}

/** A metric as Prometheus shows it. */
export interface MetricOptions<L extends string> {
  /** Begins with `openclaw_` and names its unit: `_total` for counters, `_seconds`, `_bytes`. */
  readonly name: string;
  /** One sentence, shown beside the metric. */
  readonly help: string;
  /** Label values must be few and must not come from peers: each combination is a permanent time series. */
  readonly labels?: readonly L[];
}

export interface HistogramOptions<L extends string> extends MetricOptions<L> {
  /** Upper bounds, ascending, in the metric's unit. */
  readonly buckets: readonly number[];
}

/** A metric before its labels have values. */
export interface Metric<L extends string, I> {
  /** Returns the instrument of one combination of values. Bind once and keep it: hot paths must not build labels. */
  with(labels: Readonly<Record<L, string>>): I;
}

/**
 * Creates the gateway's metrics. A class declares its metrics and binds their labels in its constructor; hot paths only
 * call the bound instruments. Instruments never throw. Creating a metric with a known name returns the same metric; an
 * engine throws if the kind or the labels differ.
 */
export abstract class Metrics {
  abstract counter<L extends string = never>(options: MetricOptions<L>): Metric<L, Counter>;
  abstract gauge<L extends string = never>(options: MetricOptions<L>): Metric<L, Gauge>;
  abstract histogram<L extends string = never>(options: HistogramOptions<L>): Metric<L, Histogram>;
}

const nothing: Counter & Gauge & Histogram = { add() {}, set() {}, observe() {} };
const unbound: Metric<string, typeof nothing> = { with: () => nothing };

/**
 * Counts nothing; the default. All instruments are one constant object with empty methods. There is nothing to scrape,
 * and no history when an engine is added later.
 */
export class NoMetrics extends Metrics {
  override counter(): Metric<string, Counter> {
    return unbound;
  }

  override gauge(): Metric<string, Gauge> {
    return unbound;
  }

  override histogram(): Metric<string, Histogram> {
    return unbound;
  }
}

/** Binds a metric with one label to each of its values, for example to a fixed list of outcomes. */
export function bindEach<L extends string, V extends string, I>(
  metric: Metric<L, I>,
  label: L,
  values: readonly V[],
): Readonly<Record<V, I>> {
  const bound = values.map((value) => [value, metric.with({ [label]: value as string } as Record<L, string>)] as const);
  return Object.fromEntries(bound) as Record<V, I>;
}

/** Makes a counter with one label. Returns it bound to each value, so that each exists with 0 from the start. */
export function countEach<V extends string>(
  metrics: Metrics,
  {
    label,
    values,
    ...names
  }: { readonly name: string; readonly help: string; readonly label: string; readonly values: readonly V[] },
): Readonly<Record<V, Counter>> {
  return bindEach(metrics.counter({ ...names, labels: [label] }), label, values);
}
