import type { DatabaseSync } from 'node:sqlite';
import { prepare } from '../sql/statement.js';

/** The clients that follow channels, each with its first connect. */
export class Followers {
  private readonly insert;
  private readonly selectStart;

  constructor(database: DatabaseSync) {
    this.insert = prepare(
      database,
      `INSERT INTO followers (client, since, frame, seen_at)
       VALUES (?1, ?2, (SELECT coalesce(max(frame), 0) FROM frames), ?2)
       ON CONFLICT DO UPDATE SET seen_at = excluded.seen_at`,
    );
    // The numbers of frames start again when none is left, and a clock may be set back, but both at once would be needed to
    // take a frame for an older one.
    this.selectStart = prepare<{ seq: number }>(
      database,
      `SELECT coalesce((SELECT seq FROM frames WHERE session = ?2 AND frame <= followers.frame AND timestamp <= since
       ORDER BY seq DESC LIMIT 1), 0) AS seq FROM followers WHERE client = ?1`,
    );
  }

  /** Notes that a client connects. Only its first connect counts for {@link startIn}. */
  note(client: number, now: number): void {
    this.insert.run(client, now);
  }

  /** Returns the newest frame of a session from before the first connect of a client; undefined for one that follows nothing. */
  startIn(client: number, session: number): number | undefined {
    return this.selectStart.get(client, session)?.seq;
  }
}
