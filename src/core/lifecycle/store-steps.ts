import { Injectable } from '@nestjs/common';
import { Store } from '../store/index.js';
import { StartStep, type Undo } from './steps.js';

/** Opens and closes the configured store, so that store engines do not know the order of the start. */
@Injectable()
export class StoreSteps {
  constructor(private readonly store: Store) {}

  @StartStep({ name: 'open the store', phase: 'open', undoneIn: 'close' })
  async open(): Promise<Undo> {
    await this.store.open();
    return () => this.store.close();
  }
}
