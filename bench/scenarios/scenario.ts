/** The size of the loads. */
export interface Size {
  readonly isQuick: boolean;
  /** Returns `full`, or `quick` in a run that only shows that everything works. */
  pick<T>(full: T, quick: T): T;
}

/** One measurement, run once per round. */
export interface Scenario {
  /** For the progress line. */
  readonly name: string;
  /** Ids of the figures that it measures. */
  readonly figures: readonly string[];
  /** Measures once. The result has a value for some or all of its figures, and details under other names. */
  measure(size: Size): Promise<Readonly<Record<string, number>>>;
}
