/** Values of one label name, over all metrics: tools, channels, models. Those that come later share one series. */
export const MAX_LABEL_VALUES = 100;

/** The value of a label in place of those beyond {@link MAX_LABEL_VALUES}. */
export const OTHER = 'other';

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

/** Bounds the values of labels, because each value is a permanent time series, and writes them. */
export class LabelValues {
  private readonly known = new Map<string, Set<string>>();

  /**
   * Returns the labels of a series as Prometheus writes them, `{tool="echo"}`; undefined if they are not those of the
   * metric, or not texts.
   * @param names the label names of the metric
   */
  render(names: readonly string[], labels: Readonly<Record<string, unknown>>): string | undefined {
    if (names.length !== Object.keys(labels).length) return undefined;
    const parts: string[] = [];
    for (const name of names) {
      const value = labels[name];
      if (typeof value !== 'string') return undefined;
      parts.push(`${name}="${this.bound(name, value).replaceAll(/[\\"\n]/g, (one) => ESCAPES[one] ?? one)}"`);
    }
    return parts.length === 0 ? '' : `{${parts.join(',')}}`;
  }

  private bound(name: string, value: string): string {
    let known = this.known.get(name);
    if (!known) this.known.set(name, (known = new Set()));
    if (!known.has(value)) {
      if (known.size >= MAX_LABEL_VALUES) return OTHER;
      known.add(value);
    }
    return value;
  }
}
