import type { PageStorage } from './page-storage.js';

/** The choices of a person for the page, kept in this browser. */
export class Preferences {
  constructor(
    private readonly storage: PageStorage,
    private readonly changed: () => void,
  ) {}

  /** True when the list of conversations is folded away. */
  get isListClosed(): boolean {
    return this.storage.isListClosed;
  }

  set isListClosed(isClosed: boolean) {
    this.storage.isListClosed = isClosed;
    this.changed();
  }

  /** True when keys without a modifier act. */
  get hasSingleKeys(): boolean {
    return this.storage.hasSingleKeys;
  }

  set hasSingleKeys(isOn: boolean) {
    this.storage.hasSingleKeys = isOn;
    this.changed();
  }
}
