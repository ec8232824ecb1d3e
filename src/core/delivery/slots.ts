/** Runs at most a number of jobs at a time. The others wait, and begin in the order of their arrival. */
export class Slots {
  private readonly waiting: (() => void)[] = [];

  /** @param free number of jobs that may run at a time */
  constructor(private free: number) {}

  /** Runs a job when it has a slot. Settles as the job does. */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await job();
    } finally {
      const next = this.waiting.shift();
      // The slot passes on without becoming free, so that no later job can take it.
      if (next) next();
      else this.free++;
    }
  }
}
