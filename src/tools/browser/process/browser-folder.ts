import { join, resolve } from 'node:path';

/** The folder of the browser: profiles while it runs, and what sessions keep (`tools.browser.persist`). */
export class BrowserFolder {
  /** @param findStoreFolder called at use, when changes of earlier runs are in force */
  constructor(private readonly findStoreFolder: () => string) {}

  /** Absolute. It may not exist. */
  get path(): string {
    return join(resolve(this.findStoreFolder()), 'browser');
  }
}
