import type { DatabaseSync } from 'node:sqlite';
import type { Json } from '../../core/store/index.js';
import { prepare } from './rows.js';

/** Who changed what, and when. Rows are only ever added, in the transaction of the change itself. */
export class AuditTrail {
  private readonly insert;

  constructor(database: DatabaseSync) {
    this.insert = prepare(database, 'INSERT INTO audit (at, actor, action, before, after) VALUES (?, ?, ?, ?, ?)');
  }

  /** Adds a row; `before` and `after` must hold no secret. */
  add(at: number, actor: string, action: string, before: Json, after: Json): void {
    this.insert.run(at, actor, action, before, after);
  }
}
