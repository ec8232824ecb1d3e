/** A metric as it is served: its type, and its values by name with labels. */
export interface ServedMetric {
  readonly help: string;
  readonly type: string;
  readonly samples: ReadonlyMap<string, number>;
}

const COMMENT = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.*)$/;
const SAMPLE =
  /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|\+Inf)$/;

/**
 * Parses the text format of Prometheus (0.0.4), by metric name.
 * @throws Error for a line that Prometheus would refuse, for NaN, and for a sample without a type
 */
export function parsePrometheusText(text: string): ReadonlyMap<string, ServedMetric> {
  const metrics = new Map<string, { help: string; type: string; samples: Map<string, number> }>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, name = '', rest = ''] = COMMENT.exec(line) ?? [];
    if (kind !== undefined) {
      const metric = metrics.get(name) ?? { help: '', type: '', samples: new Map<string, number>() };
      metrics.set(name, { ...metric, [kind.toLowerCase()]: rest });
      continue;
    }
    const [, sample = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    const owner = metrics.get(sample) ?? metrics.get(sample.replace(/_(bucket|sum|count)$/, ''));
    if (!owner) throw new Error(`a line of no known metric: ${line}`);
    if (owner.samples.has(sample + labels)) throw new Error(`a series that is there twice: ${line}`);
    owner.samples.set(sample + labels, Number(value.replace('Inf', 'Infinity')));
  }
  return metrics;
}

/** Returns the value of one series; undefined if it is not there. @param series with its labels, as it is served */
export function findSample(text: string, series: string): number | undefined {
  for (const { samples } of parsePrometheusText(text).values()) if (samples.has(series)) return samples.get(series);
  return undefined;
}
