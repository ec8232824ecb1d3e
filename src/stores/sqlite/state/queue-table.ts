import type { DatabaseSync } from 'node:sqlite';
import type { OpenMessage } from './open-messages.js';
import { prepare } from '../sql/statement.js';

/**
 * The rows of unfinished messages. Most messages are claimed in the transaction that accepts them, so a new row waits for
 * {@link flush} and is then written once, as it is.
 */
export class QueueTable {
  private added: OpenMessage[] = [];
  private readonly insert;
  private readonly updateRunning;
  private readonly updateRetry;
  private readonly updateCancelled;
  private readonly selectHeadBefore;
  private readonly remove;

  constructor(database: DatabaseSync) {
    this.insert = prepare(
      database,
      `INSERT INTO queue (ord, session, client, priority, state, attempt, interruptions, epoch, head_before)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.updateRunning = prepare(
      database,
      `UPDATE queue SET state = 'running', attempt = ?, interruptions = ?, epoch = ?,
         head_before = coalesce(head_before, ?) WHERE ord = ?`,
    );
    this.updateRetry = prepare(database, `UPDATE queue SET state = 'retry', not_before = ? WHERE ord = ?`);
    this.updateCancelled = prepare(database, 'UPDATE queue SET cancel_requested = 1, not_before = 0 WHERE ord = ?');
    this.selectHeadBefore = prepare<{ head: number | null }>(
      database,
      'SELECT head_before AS head FROM queue WHERE ord = ?',
    );
    this.remove = prepare(database, 'DELETE FROM queue WHERE ord = ?');
  }

  /** Adds the row of a message that was accepted just now. */
  add(message: OpenMessage): void {
    message.newRow = { headBefore: null };
    this.added.push(message);
  }

  /** Notes that a message runs. @param headSeq the head of its session's log, which counts at its first claim */
  markRunning(message: OpenMessage, headSeq: number): void {
    if (message.newRow) message.newRow = { headBefore: headSeq };
    else this.updateRunning.run(message.attempt, message.interruptions, message.epoch, headSeq, message.ord);
  }

  /** Notes that a message waits, from `notBefore` on. */
  markRetry(message: OpenMessage, notBefore: number): void {
    this.flush();
    this.updateRetry.run(notBefore, message.ord);
  }

  markCancelled(message: OpenMessage): void {
    this.flush();
    this.updateCancelled.run(message.ord);
  }

  /** Returns the head of the session's log at the first claim of a message: null if it never ran, undefined if it has ended. */
  headBefore(ord: number): number | null | undefined {
    this.flush();
    return this.selectHeadBefore.get(ord)?.head;
  }

  delete(message: OpenMessage): void {
    if (message.newRow) message.newRow = undefined;
    else this.remove.run(message.ord);
  }

  /** Writes the rows that wait. Other statements must not read or change the table before. */
  flush(): void {
    if (this.added.length === 0) return;
    for (const message of this.added) this.write(message);
    this.added = [];
  }

  private write(message: OpenMessage): void {
    const { ord, session, client, priority, attempt, interruptions, epoch, newRow } = message;
    if (!newRow) return;
    const state = epoch === 0 ? 'queued' : 'running';
    this.insert.run(ord, session, client, priority, state, attempt, interruptions, epoch, newRow.headBefore);
    message.newRow = undefined;
  }

  /** Forgets the rows that wait, whose transaction was rolled back. */
  forgetAll(): void {
    this.added = [];
  }
}
