import type { DatabaseSync } from 'node:sqlite';
import { prepare } from './statement.js';

/** Age up to which a commit proves that commits are possible, in milliseconds. */
const FRESH_MS = 1_000;

/** Proves that commits are possible: by the newest commit, or by writing a row. */
export class Heartbeat {
  private readonly touch;
  private provenAt = Number.NEGATIVE_INFINITY;

  constructor(database: DatabaseSync) {
    this.touch = prepare(database, 'UPDATE gateway SET checked_at = ?');
  }

  /** Records a commit that contained a change. */
  proveBy(committedAt: number): void {
    this.provenAt = committedAt;
  }

  /** Writes a row; throws if that is not possible. */
  write(now: number): void {
    this.touch.run(now);
  }

  /** Writes a row unless a commit has just succeeded. Returns whether it did. */
  check(now: number): boolean {
    if (now >= this.provenAt && now - this.provenAt < FRESH_MS) return false;
    this.write(now);
    return true;
  }
}
