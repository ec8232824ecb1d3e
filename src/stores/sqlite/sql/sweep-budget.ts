const MAX_SWEEP_MS = 5;
const MAX_SWEEP_ROWS = 1_000;
/** Rows that one statement of a sweep visits or deletes. */
export const MAX_STEP_ROWS = 50;

/**
 * The limits of one call of a sweep, in time and in rows. An acknowledgement in the same batch waits as long, because the
 * calls of a batch share a commit. A call stops after the step in which it reaches a limit.
 */
export class SweepBudget {
  private rows = MAX_SWEEP_ROWS;
  private readonly endsAt: number;

  /** @param elapsed returns milliseconds since an arbitrary moment */
  constructor(private readonly elapsed: () => number = () => performance.now()) {
    this.endsAt = elapsed() + MAX_SWEEP_MS;
  }

  /** The call has reached a limit. */
  get isOver(): boolean {
    return this.rows <= 0 || this.elapsed() >= this.endsAt;
  }

  /** Notes that rows were deleted or visited. */
  spend(rows: number): void {
    this.rows -= rows;
  }

  /**
   * Repeats a step, which returns the number of rows that it has deleted or visited. Returns true once no row is left, and
   * false when the call has reached a limit first.
   */
  repeat(step: () => number): boolean {
    for (;;) {
      const rows = step();
      this.spend(1 + rows);
      if (rows < MAX_STEP_ROWS) return true;
      if (this.isOver) return false;
    }
  }
}
