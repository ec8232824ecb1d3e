import type { DatabaseSync } from 'node:sqlite';

/** Who changed what, and when. Rows are only ever added, in the transaction of the change itself. */
export class AuditTrail {
  private readonly insert;

  constructor(database: DatabaseSync) {
    this.insert = database.prepare('INSERT INTO audit (at, actor, action, before, after) VALUES (?, ?, ?, ?, ?)');
  }

  /** `before` and `after` are kept as JSON and must hold no secret. */
  add(at: number, actor: string, action: string, before: unknown, after: unknown): void {
    this.insert.run(at, actor, action, JSON.stringify(before), JSON.stringify(after));
  }
}
