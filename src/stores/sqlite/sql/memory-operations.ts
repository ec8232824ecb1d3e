import type { DatabaseSync } from 'node:sqlite';
import type { Memory, MemoryQuery } from '../../../core/store/index.js';
import { toIndexText, toMatch } from './memory-words.js';
import { prepare, required } from './statement.js';

/** The operations of `MemoryStore`, with a full-text index. */
export class MemoryOperations {
  private readonly insert;
  private readonly insertWords;
  private readonly count;
  private readonly selectKnown;
  private readonly selectByWords;
  private readonly selectNewest;

  constructor(database: DatabaseSync) {
    const scope = 'memories.tenant = ? AND memories.collection IN (SELECT value FROM json_each(?))';
    const columns = 'memory_id AS memoryId, tenant, collection, memories.text, created_at AS createdAt';
    this.insert = prepare(
      database,
      'INSERT INTO memories (memory_id, tenant, collection, text, created_at) VALUES (?, ?, ?, ?, ?)',
    );
    this.insertWords = prepare(database, 'INSERT INTO memory_words (rowid, text) VALUES (?, ?)');
    this.selectKnown = prepare<{ 1: 1 }>(database, 'SELECT 1 FROM memories WHERE tenant = ? AND memory_id = ?');
    this.count = prepare<{ count: number }>(
      database,
      'SELECT count(*) AS count FROM memories WHERE tenant = ? AND collection = ?',
    );
    this.selectByWords = prepare<Memory>(
      database,
      `SELECT ${columns} FROM memory_words JOIN memories ON memories.memory = memory_words.rowid
       WHERE memory_words MATCH ? AND ${scope} ORDER BY memory_words.rank, memories.memory DESC LIMIT ?`,
    );
    this.selectNewest = prepare<Memory>(
      database,
      `SELECT ${columns} FROM memories WHERE ${scope} ORDER BY memory DESC LIMIT ?`,
    );
  }

  save({ memoryId, tenant, collection, text, createdAt }: Memory, maxPerCollection: number): boolean {
    if (this.selectKnown.get(tenant, memoryId)) return true;
    if (required(this.count.get(tenant, collection)).count >= maxPerCollection) return false;
    const { lastInsertRowid } = this.insert.run(memoryId, tenant, collection, text, createdAt);
    this.insertWords.run(lastInsertRowid, toIndexText(text));
    return true;
  }

  search({ tenant, collections, words, limit }: MemoryQuery): readonly Memory[] {
    const scope = [tenant, JSON.stringify(collections)] as const;
    return words.length === 0
      ? this.selectNewest.all(...scope, limit)
      : this.selectByWords.all(toMatch(words), ...scope, limit);
  }
}
