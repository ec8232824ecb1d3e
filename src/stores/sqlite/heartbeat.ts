import type { DatabaseSync } from 'node:sqlite';
import { prepare } from './rows.js';

/** A commit that is younger than this, in milliseconds, proves that commits are possible. */
const FRESH_MS = 1_000;

/** Proves that commits are possible: by the newest one, or by writing something small. */
export class Heartbeat {
  private readonly touch;
  private provenAt = Number.NEGATIVE_INFINITY;

  constructor(database: DatabaseSync) {
    this.touch = prepare(database, 'UPDATE gateway SET checked_at = ?');
  }

  /** Takes note of a commit that held a change. */
  proveBy(committedAt: number): void {
    this.provenAt = committedAt;
  }

  /** Writes something small; throws while that is not possible. */
  write(now: number): void {
    this.touch.run(now);
  }

  /** Writes something small unless a commit has just succeeded. Returns whether it did. */
  check(now: number): boolean {
    if (now >= this.provenAt && now - this.provenAt < FRESH_MS) return false;
    this.write(now);
    return true;
  }
}
