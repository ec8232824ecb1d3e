/** How large the loads are. */
export interface Size {
  readonly isQuick: boolean;
  /** `full`, or `quick` in a run that only shows that everything works. */
  pick<T>(full: T, quick: T): T;
}

/** One measurement, run once in each round. */
export interface Scenario {
  /** For the progress line. */
  readonly name: string;
  /** Ids of the figures that it can tell. */
  readonly figures: readonly string[];
  /** Measures once; the answer holds a value for some or all of its figures, and details by other names. */
  measure(size: Size): Promise<Readonly<Record<string, number>>>;
}
