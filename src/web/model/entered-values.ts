import type { PageStorage } from './page-storage.js';
import type { Entered } from './stored-values.js';

/** The values that are entered on the surfaces of conversations. The tab keeps them over a reload. */
export class EnteredValues {
  constructor(private readonly storage: PageStorage) {}

  read(sender: string, surfaceId: string): Entered | undefined {
    return this.storage.readEntered(sender)[surfaceId];
  }

  save(sender: string, surfaceId: string, entered: Entered): void {
    this.storage.saveEntered(sender, { ...this.storage.readEntered(sender), [surfaceId]: entered });
  }
}
