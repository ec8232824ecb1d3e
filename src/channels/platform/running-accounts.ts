/** The accounts of a channel that run in this process, by name: what a platform delivers over HTTP is for one of them. */
export class RunningAccounts<T> {
  private readonly accounts = new Map<string, T>();

  /** Adds an account until a signal aborts. */
  add(name: string, account: T, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.accounts.set(name, account);
    const remove = () => {
      if (this.accounts.get(name) === account) this.accounts.delete(name);
    };
    signal.addEventListener('abort', remove, { once: true });
  }

  get(name: string): T | undefined {
    return this.accounts.get(name);
  }

  /** Returns the first account that fits. */
  find(fits: (account: T) => boolean): T | undefined {
    return this.accounts.values().find(fits);
  }
}
