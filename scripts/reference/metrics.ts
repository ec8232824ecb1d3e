import type { Family } from '../../src/telemetry/prometheus-metrics.js';
import { code, GENERATED, page, table } from './markdown.js';

/** Renders `docs/reference/metrics.md`. @param families the metrics of a gateway that runs */
export function renderMetrics(families: readonly Family[]): string {
  const rows = families.map(({ name, kind, labels, buckets, help }) => [
    code(name),
    kind,
    labels.map(code).join(', '),
    buckets.length > 0 ? `${help} Buckets: ${buckets.join(', ')}.` : help,
  ]);
  return page(
    '# Metrics',
    GENERATED,
    '`GET /metrics` serves these in the text format of Prometheus, see [the guide](../guides/metrics.md). Values of labels are ' +
      'closed lists, or names of tools, channels and models: the first hundred of each, and `other` for the rest. No label ' +
      'is a person, a session or a message.',
    table(['metric', 'type', 'labels', 'meaning'], rows),
    '`openclaw_metrics_dropped_total` counts values that no metric could take, `openclaw_metrics_series` the combinations of ' +
      'labels. Beside them are the metrics of the process under the names that `prom-client` gives them: `process_*` (CPU ' +
      'time, memory, open files, start time) and `nodejs_*` (delay of the event loop, heap, garbage collection).',
  );
}
