/** The progress of an action on several things. */
export interface BulkProgress {
  readonly done: number;
  readonly total: number;
  /** Why things could not be done, by key. */
  readonly failures: ReadonlyMap<string, unknown>;
}

/** Things that are worked on at once. */
const AT_ONCE = 4;

/**
 * Acts on several things, four at a time. One that fails does not keep the others from it. After `stop` has aborted no
 * further one is begun.
 * @param work acts on one @param report is called after each
 */
export async function runBulk(
  keys: readonly string[],
  work: (key: string) => Promise<unknown>,
  report: (progress: BulkProgress) => void,
  stop: AbortSignal,
): Promise<BulkProgress> {
  const failures = new Map<string, unknown>();
  const queue = [...keys];
  let done = 0;
  const describe = (): BulkProgress => ({ done, total: keys.length, failures });
  const takeOn = async (): Promise<void> => {
    for (let key = queue.shift(); key !== undefined && !stop.aborted; key = queue.shift()) {
      try {
        await work(key);
      } catch (error) {
        failures.set(key, error);
      }
      done++;
      report(describe());
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, takeOn));
  return describe();
}
