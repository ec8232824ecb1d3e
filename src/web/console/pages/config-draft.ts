/** The text that stands for a secret. */
export const MASK = '***';

/** A setting, as `GET /config` describes it. */
export interface Setting {
  readonly key: string;
  readonly value: unknown;
  readonly source: string;
  readonly needs_restart: boolean;
  readonly pending: boolean;
  readonly scope: string;
  readonly description: string;
}

/** All settings at one version. */
export interface Config {
  readonly version: number;
  readonly settings: readonly Setting[];
}

/** A prepared change of one setting. */
export interface Change {
  readonly key: string;
  /** The value that it was prepared on. */
  readonly old: unknown;
  /** The value to save; null removes a change made at run time. */
  readonly mine: unknown;
  /** The value that another person has saved meanwhile; absent without a conflict. */
  readonly theirs?: unknown;
}

/**
 * The changes that a person prepares on one version of the settings. Only they are sent. If another person
 * saves first, they are kept and compared with the newer version, key by key.
 */
export class ConfigDraft {
  #config: Config = { version: 0, settings: [] };
  readonly #changes = new Map<string, Change>();

  get version(): number {
    return this.#config.version;
  }

  get settings(): readonly Setting[] {
    return this.#config.settings;
  }

  /** The prepared changes, by key. */
  get changes(): readonly Change[] {
    return [...this.#changes.values()].sort((a, b) => a.key.localeCompare(b.key));
  }

  /** The changes on which the person has to choose. */
  get conflicts(): readonly Change[] {
    return this.changes.filter(isConflict);
  }

  find(key: string): Setting | undefined {
    return this.settings.find((setting) => setting.key === key);
  }

  /** Prepares a change. One to the value that is set already is none. */
  set(key: string, mine: unknown): void {
    const old = this.find(key)?.value;
    if (mine !== null && isSame(old, mine) && !hasMask(old)) this.#changes.delete(key);
    else this.#changes.set(key, { key, old, mine });
  }

  drop(key: string): void {
    this.#changes.delete(key);
  }

  clear(): void {
    this.#changes.clear();
  }

  /**
   * Takes a newer version. A change whose setting has another value now is a conflict. Secrets read alike before and
   * after, so a change of one is a conflict after every other version.
   */
  rebase(config: Config): void {
    const isNewer = config.version !== this.version;
    this.#config = config;
    if (!isNewer) return;
    for (const { key, old, mine } of this.#changes.values()) {
      const theirs = this.find(key)?.value;
      const isTouched = !isSame(old, theirs) || hasMask(old);
      if (isTouched && isSame(theirs, mine)) this.#changes.delete(key);
      else if (isTouched) this.#changes.set(key, { key, old, mine, theirs });
    }
  }

  /** Settles a conflict: with one's own value, which replaces theirs, or by keeping theirs. */
  settle(key: string, choice: 'mine' | 'theirs'): void {
    const change = this.#changes.get(key);
    if (!change) return;
    if (choice === 'theirs') this.#changes.delete(key);
    else this.#changes.set(key, { key, old: change.theirs, mine: change.mine });
  }

  /** The body of `PATCH /config`: the prepared changes and nothing else. */
  toBody(): { readonly version: number; readonly changes: Readonly<Record<string, unknown>> } {
    return { version: this.version, changes: Object.fromEntries(this.changes.map(({ key, mine }) => [key, mine])) };
  }
}

function isConflict(change: Change): boolean {
  return 'theirs' in change;
}

/** Returns true for a value with a hidden secret in it, which must not be sent back. */
export function hasMask(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(hasMask);
  return value === MASK;
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
