import type { DatabaseSync } from 'node:sqlite';
import type { Memory, MemoryQuery } from '../../core/store/index.js';
import { required, type Row } from './rows.js';

/** Long-term memory, with an index of its words. */
export class MemoryOperations {
  private readonly insert;
  private readonly count;
  private readonly selectKnown;
  private readonly selectByWords;
  private readonly selectNewest;

  constructor(database: DatabaseSync) {
    const scope = 'memories.tenant = ? AND memories.collection IN (SELECT value FROM json_each(?))';
    this.insert = database.prepare(
      'INSERT INTO memories (memory_id, tenant, collection, text, created_at) VALUES (?, ?, ?, ?, ?)',
    );
    this.selectKnown = database.prepare('SELECT 1 FROM memories WHERE tenant = ? AND memory_id = ?');
    this.count = database.prepare('SELECT count(*) AS count FROM memories WHERE tenant = ? AND collection = ?');
    this.selectByWords = database.prepare(
      `SELECT memories.* FROM memory_words JOIN memories ON memories.memory = memory_words.rowid
       WHERE memory_words MATCH ? AND ${scope} ORDER BY memory_words.rank, memories.memory DESC LIMIT ?`,
    );
    this.selectNewest = database.prepare(`SELECT * FROM memories WHERE ${scope} ORDER BY memory DESC LIMIT ?`);
  }

  saveMemory(
    _now: number,
    { memoryId, tenant, collection, text, createdAt }: Memory,
    maxPerCollection: number,
  ): boolean {
    if (this.selectKnown.get(tenant, memoryId)) return true;
    if ((required(this.count.get(tenant, collection))['count'] as number) >= maxPerCollection) return false;
    this.insert.run(memoryId, tenant, collection, text, createdAt);
    return true;
  }

  searchMemories(_now: number, { tenant, collections, words, limit }: MemoryQuery): readonly Memory[] {
    const scope = [tenant, JSON.stringify(collections)] as const;
    const rows =
      words.length === 0
        ? this.selectNewest.all(...scope, limit)
        : this.selectByWords.all(toMatch(words), ...scope, limit);
    return rows.map(toMemory);
  }
}

/** In quotes, where nothing means anything to FTS5 but a quote, which is doubled. */
function toMatch(words: readonly string[]): string {
  return words.map((word) => `"${word.replaceAll('"', '""')}"*`).join(' OR ');
}

function toMemory(row: Row): Memory {
  return {
    memoryId: row['memory_id'] as string,
    tenant: row['tenant'] as string,
    collection: row['collection'] as string,
    text: row['text'] as string,
    createdAt: row['created_at'] as number,
  };
}
