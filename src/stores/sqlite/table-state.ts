import type { DatabaseSync } from 'node:sqlite';
import type { Priority } from '../../core/store/index.js';
import { Activity, ACTIVITY_WINDOW_MS } from './activity.js';
import { Directory } from './directory.js';
import { FrameLog } from './frame-log.js';
import { MessageRefs } from './message-refs.js';
import { required, type Row } from './rows.js';
import { OpenMessages, type OpenMessage } from './open-messages.js';

/**
 * Epochs of one opening of the database lie above those of all earlier ones, so that an epoch grows over restarts
 * without being written for its own sake. Two million openings fit below 2^53.
 */
const EPOCHS_PER_GENERATION = 2 ** 32;

/** Rows looked at to know which sessions were used lately, after a start. */
const ACTIVITY_ROWS = 20_000;

/** The state of the tables that is kept in memory, shared by all operations, with the statements that keep both equal. */
export class TableState {
  readonly refs: MessageRefs;
  readonly directory: Directory;
  readonly log: FrameLog;
  readonly activity = new Activity();
  private readonly firstEpoch: number;
  private lastEpoch: number;
  private lastOrd = 0;
  private openMessages = new OpenMessages();

  /** Takes the database over for this process: what ran under an earlier owner counts as interrupted. */
  constructor(
    readonly database: DatabaseSync,
    now: number,
  ) {
    database.exec('UPDATE gateway SET generation = generation + 1');
    const { instance, generation } = required(database.prepare('SELECT instance, generation FROM gateway').get());
    this.firstEpoch = (generation as number) * EPOCHS_PER_GENERATION;
    this.lastEpoch = this.firstEpoch;
    this.refs = new MessageRefs(instance as string);
    this.directory = new Directory(database);
    this.log = new FrameLog(database, this.refs);
    this.rebuild();
    this.recallActivity(now);
  }

  /** The index of unfinished messages; another object after each {@link rebuild}. */
  get open(): OpenMessages {
    return this.openMessages;
  }

  nextOrd(): number {
    return ++this.lastOrd;
  }

  /** The ord that the next message will have. */
  get upcomingOrd(): number {
    return this.lastOrd + 1;
  }

  nextEpoch(): number {
    return ++this.lastEpoch;
  }

  /** Reads the state from the tables: at the start, and after a transaction that was rolled back. */
  rebuild(): void {
    this.directory.forgetAll();
    this.log.forgetAll();
    const newest = 'SELECT max(swept_ord, (SELECT coalesce(max(ord), 0) FROM messages)) AS ord FROM gateway';
    this.lastOrd = required(this.database.prepare(newest).get())['ord'] as number;
    this.openMessages = new OpenMessages();
    for (const row of this.database.prepare('SELECT * FROM queue ORDER BY ord').iterate()) this.restore(row);
  }

  private restore(row: Row): void {
    const runs = row['state'] === 'running' && (row['epoch'] as number) > this.firstEpoch;
    const message: OpenMessage = {
      ord: row['ord'] as number,
      session: row['session'] as number,
      client: row['client'] as number,
      priority: row['priority'] as Priority,
      epoch: runs ? (row['epoch'] as number) : 0,
      cancelRequested: row['cancel_requested'] === 1,
    };
    if (runs) this.open.addRunning(message);
    else if (row['state'] === 'queued') this.open.add(message);
    else this.open.addFirst(message, row['not_before'] as number);
  }

  private recallActivity(now: number): void {
    const lately = this.database
      .prepare('SELECT session, received_at FROM messages WHERE ord > ? AND received_at >= ? ORDER BY ord')
      .iterate(this.lastOrd - ACTIVITY_ROWS, now - ACTIVITY_WINDOW_MS);
    for (const row of lately) this.activity.touch(row['session'] as number, row['received_at'] as number);
  }
}
