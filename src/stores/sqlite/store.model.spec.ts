import { describe } from 'vitest';
import { makeStoreInMemory } from '../../../test/support/store-in-memory.js';
import { describeStoreModel } from '../../testing/store.model.js';

describe('SqliteStore against the model', () => {
  describeStoreModel('behaves like the model for any sequence of steps', makeStoreInMemory);
});
