import { Signal } from '../model/signal.js';
import type { Zone } from './format.js';

const PREFIX = 'openclaw.console.';

/** Row heights of lists. */
export type Density = 'normal' | 'compact';

/** The choices of a person for the console, in this browser. Without storage they hold until the page is left. */
export class ConsoleSettings {
  readonly changed = new Signal();
  readonly #values = new Map<string, string>();

  /** @param storage returns the browser's; it may throw */
  constructor(private readonly storage: () => Pick<Storage, 'getItem' | 'setItem'>) {}

  /** The zone of every time. */
  get zone(): Zone {
    return this.#read('zone') === 'utc' ? 'utc' : 'local';
  }

  set zone(zone: Zone) {
    this.#write('zone', zone);
  }

  get density(): Density {
    return this.#read('density') === 'compact' ? 'compact' : 'normal';
  }

  set density(density: Density) {
    this.#write('density', density);
  }

  /** True when keys without a modifier act (WCAG 2.1.4). */
  get hasSingleKeys(): boolean {
    return this.#read('single_keys') !== 'off';
  }

  set hasSingleKeys(isOn: boolean) {
    this.#write('single_keys', isOn ? 'on' : 'off');
  }

  #read(name: string): string | undefined {
    try {
      return this.#values.get(name) ?? this.storage().getItem(PREFIX + name) ?? undefined;
    } catch {
      return undefined;
    }
  }

  #write(name: string, value: string): void {
    this.#values.set(name, value);
    try {
      this.storage().setItem(PREFIX + name, value);
    } catch {
      // The value is in memory.
    }
    this.changed.emit();
  }
}
