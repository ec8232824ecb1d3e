/**
 * The gateway's metrics in the text format of Prometheus.
 *
 * Promises: an instrument never throws and costs about as much as an addition; a value that would spoil a series is dropped and
 * counted; the number of series is bounded. Refuses to know: who reads them, and what the process itself uses.
 */
import {
  Metrics,
  type Counter,
  type Gauge,
  type Histogram,
  type HistogramOptions,
  type Metric,
  type MetricOptions,
} from '../core/telemetry/metrics.js';
import { CounterSeries, GaugeSeries, HistogramSeries, type Drops, type Series } from './instruments.js';
import { LabelValues } from './label-values.js';

/** Series of all metrics together. */
export const MAX_SERIES = 10_000;

const METRIC_NAME = /^openclaw(_[a-z0-9]+)+$/;
const LABEL_NAME = /^[a-z][a-z0-9_]*$/;

type Kind = 'counter' | 'gauge' | 'histogram';

/** A metric with its series, by their labels as text. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly kind: Kind;
  readonly labels: readonly string[];
  readonly buckets: readonly number[];
  readonly series: Map<string, Series & (Counter | Gauge | Histogram)>;
}

/** Counts what the gateway does, as long as the process runs. */
export class PrometheusMetrics extends Metrics {
  private readonly byName = new Map<string, Family>();
  private readonly values = new LabelValues();
  private readonly drops: Drops = { count: 0 };
  private seriesCount = 0;
  /** Takes what has no series, and counts it. */
  private readonly nowhere: Counter & Gauge & Histogram;

  constructor() {
    super();
    const drop = () => void this.drops.count++;
    this.nowhere = { add: drop, set: drop, observe: drop };
  }

  override counter<L extends string = never>(options: MetricOptions<L>): Metric<L, Counter> {
    return this.declare('counter', options, () => new CounterSeries(this.drops));
  }

  override gauge<L extends string = never>(options: MetricOptions<L>): Metric<L, Gauge> {
    return this.declare('gauge', options, () => new GaugeSeries(this.drops));
  }

  override histogram<L extends string = never>(options: HistogramOptions<L>): Metric<L, Histogram> {
    const { buckets } = options;
    return this.declare('histogram', options, () => new HistogramSeries(buckets, this.drops));
  }

  /** The declared metrics, sorted by name. */
  get families(): readonly Family[] {
    return [...this.byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Returns all metrics as Prometheus reads them (text format 0.0.4). */
  render(): string {
    const lines = this.families.flatMap((family) => renderFamily(family));
    return [...lines, ...this.renderOwn(), ''].join('\n');
  }

  /** @throws Error for a malformed name, or one that is declared twice, differently */
  private declare<L extends string, I extends Counter | Gauge | Histogram>(
    kind: Kind,
    options: HistogramOptions<L> | MetricOptions<L>,
    create: () => I & Series,
  ): Metric<L, I> {
    const { name, help, labels = [] } = options;
    const buckets = 'buckets' in options ? options.buckets : [];
    checkDeclaration(kind, { name, help, labels, buckets });
    const family = this.byName.get(name) ?? { name, help, kind, labels, buckets, series: new Map() };
    if (family.kind !== kind || family.labels.join() !== labels.join() || family.buckets.join() !== buckets.join())
      throw new Error(`The metric ${name} is declared twice, differently`);
    this.byName.set(name, family);
    return { with: (values) => this.bind(family, values, create) };
  }

  private bind<I extends Counter | Gauge | Histogram>(
    family: Family,
    values: Readonly<Record<string, string>>,
    create: () => I & Series,
  ): I {
    const labels = this.values.render(family.labels, values);
    const known = labels === undefined ? undefined : family.series.get(labels);
    if (known) return known as unknown as I;
    if (labels === undefined || this.seriesCount >= MAX_SERIES) {
      this.drops.count++;
      return this.nowhere as unknown as I;
    }
    const series = create();
    family.series.set(labels, series);
    this.seriesCount++;
    return series;
  }

  private renderOwn(): readonly string[] {
    return [
      ...renderHead('openclaw_metrics_dropped_total', 'Values and labels that no metric could take.', 'counter'),
      `openclaw_metrics_dropped_total ${this.drops.count}`,
      ...renderHead('openclaw_metrics_series', 'Combinations of labels of all metrics.', 'gauge'),
      `openclaw_metrics_series ${this.seriesCount}`,
    ];
  }
}

function renderFamily({ name, help, kind, series }: Family): readonly string[] {
  return [...renderHead(name, help, kind), ...[...series].flatMap(([labels, one]) => one.render(name, labels))];
}

function renderHead(name: string, help: string, kind: Kind): readonly string[] {
  return [`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${kind}`];
}

function checkDeclaration(kind: Kind, { name, labels, buckets }: Pick<Family, 'name' | 'help' | 'labels' | 'buckets'>) {
  if (!METRIC_NAME.test(name)) throw new Error(`The name of the metric ${name} must match ${METRIC_NAME.source}`);
  if (kind === 'counter' && !name.endsWith('_total')) throw new Error(`The name of the counter ${name} ends in _total`);
  for (const label of labels)
    if (!LABEL_NAME.test(label) || label === 'le')
      throw new Error(`The label ${label} of the metric ${name} must match ${LABEL_NAME.source}`);
  const isAscending = buckets.every((bound, at) => Number.isFinite(bound) && bound > (buckets[at - 1] ?? -Infinity));
  if (!isAscending) throw new Error(`The buckets of the metric ${name} must ascend`);
}
