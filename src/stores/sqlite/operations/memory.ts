import type { MemoryStore } from '../../../core/store/index.js';
import { read, write, type Rows } from './row.js';

export const MEMORY_ROWS: Rows<MemoryStore> = {
  saveMemory: write(({ memories }, ...all) => memories.save(...all)),
  searchMemories: read(({ memories }, query) => memories.search(query)),
};
