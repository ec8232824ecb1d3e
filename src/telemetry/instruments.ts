import type { Counter, Gauge, Histogram } from '../core/telemetry/metrics.js';

/** Counts the values that instruments have not taken. */
export interface Drops {
  count: number;
}

/** The values of one combination of labels. */
export interface Series {
  /** Returns its lines, without line ends. @param labels `{tool="echo"}`, or an empty text */
  render(name: string, labels: string): readonly string[];
}

/** A counter that takes whole and broken numbers from 0 on: anything else would make the sum fall, or make it permanently wrong. */
export class CounterSeries implements Series, Counter {
  private value = 0;

  constructor(private readonly drops: Drops) {}

  add(by = 1): void {
    if (isAmount(by)) this.value += by;
    else this.drops.count++;
  }

  render(name: string, labels: string): readonly string[] {
    return [`${name}${labels} ${this.value}`];
  }
}

/** A gauge that takes finite numbers. */
export class GaugeSeries implements Series, Gauge {
  private value = 0;

  constructor(private readonly drops: Drops) {}

  set(value: number): void {
    if (Number.isFinite(value)) this.value = value;
    else this.drops.count++;
  }

  render(name: string, labels: string): readonly string[] {
    return [`${name}${labels} ${this.value}`];
  }
}

/** A histogram that takes finite numbers from 0 on: a negative one would make its sum fall. */
export class HistogramSeries implements Series, Histogram {
  /** Observations by bucket, not cumulative; the last one is for those above all bounds. */
  private readonly counts: number[];
  private sum = 0;

  constructor(
    private readonly buckets: readonly number[],
    private readonly drops: Drops,
  ) {
    this.counts = Array.from({ length: buckets.length + 1 }, () => 0);
  }

  observe(value: number): void {
    if (!isAmount(value)) {
      this.drops.count++;
      return;
    }
    const { buckets, counts } = this;
    let at = 0;
    while (at < buckets.length && value > (buckets[at] ?? 0)) at++;
    counts[at] = (counts[at] ?? 0) + 1;
    this.sum += value;
  }

  render(name: string, labels: string): readonly string[] {
    let total = 0;
    const lines = this.counts.map((count, at) => {
      total += count;
      return `${name}_bucket${withBound(labels, this.buckets[at])} ${total}`;
    });
    return [...lines, `${name}_sum${labels} ${this.sum}`, `${name}_count${labels} ${total}`];
  }
}

/** Returns whether a value is a finite number from 0 on. Callers of teams may pass anything. */
function isAmount(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

function withBound(labels: string, bound: number | undefined): string {
  const le = `le="${bound ?? '+Inf'}"`;
  return labels === '' ? `{${le}}` : `${labels.slice(0, -1)},${le}}`;
}
