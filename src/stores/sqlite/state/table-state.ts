import type { DatabaseSync } from 'node:sqlite';
import type { Priority } from '../../../core/store/index.js';
import { Activity, ACTIVITY_WINDOW_MS } from './activity.js';
import { Directory } from './directory.js';
import { FrameLog } from './frame-log.js';
import { beginLogEpoch, type LogEpoch } from './log-epochs.js';
import { MessageRefs } from './message-refs.js';
import { prepare, required } from '../sql/statement.js';
import type { Moment } from '../../../core/time/clock.js';
import { OpenMessages, ownerOf, type OpenMessage } from './open-messages.js';
import { QueueTable } from './queue-table.js';
import { WaitingTurns } from './waiting-turns.js';

/**
 * Range of epochs per opening of the database. Epochs thus grow over restarts without being stored on each claim. Two
 * million openings fit below 2^53.
 */
const EPOCHS_PER_GENERATION = 2 ** 32;

/** Rows read after a start to find recently used sessions. */
const ACTIVITY_ROWS = 20_000;

const SELECT_QUEUE = `SELECT ord, session, client, tenant, principal, priority, state, not_before AS notBefore, epoch,
  attempt, interruptions, cancel_requested AS cancelRequested FROM queue JOIN clients USING (client) ORDER BY ord`;

interface QueueRow {
  readonly ord: number;
  readonly session: number;
  readonly client: number;
  readonly tenant: string;
  readonly principal: string;
  readonly priority: Priority;
  readonly state: 'queued' | 'running' | 'retry';
  readonly notBefore: number;
  readonly epoch: number;
  readonly attempt: number;
  readonly interruptions: number;
  readonly cancelRequested: 0 | 1;
}

/** The in-memory state of the tables, shared by all operations. */
export class TableState {
  readonly refs: MessageRefs;
  /** The start that this object belongs to. */
  readonly logEpoch: LogEpoch;
  readonly directory: Directory;
  readonly log: FrameLog;
  readonly queue: QueueTable;
  readonly activity = new Activity((session) => this.open.lanes.countIn(session) > 0);
  /** Those that waited when the earlier owner died. */
  private readonly waiting: WaitingTurns;
  private readonly firstEpoch: number;
  private lastEpoch: number;
  private lastOrd = 0;
  private clockOffset = 0;
  private openMessages = this.makeOpenMessages();

  /**
   * Takes ownership of the database. Messages that ran under an earlier owner count as interrupted, unless they waited for a
   * person.
   */
  constructor(
    readonly database: DatabaseSync,
    startedAt: Moment,
  ) {
    this.setClock(startedAt);
    database.exec('UPDATE gateway SET generation = generation + 1');
    const { generation } = required(prepare<{ generation: number }>(database, 'SELECT generation FROM gateway').get());
    this.firstEpoch = generation * EPOCHS_PER_GENERATION;
    this.lastEpoch = this.firstEpoch;
    const epochs = beginLogEpoch(database, generation, this.readLastOrd() + 1);
    this.logEpoch = required(epochs.at(-1));
    this.refs = new MessageRefs(epochs);
    this.log = new FrameLog(database, this.refs, epochs);
    this.directory = new Directory(database, this.log);
    this.queue = new QueueTable(database);
    this.waiting = new WaitingTurns(database, startedAt.now);
    this.rebuild();
    this.recallActivity(startedAt.now);
  }

  /** The index of unfinished messages; a new object after each {@link rebuild}. */
  get open(): OpenMessages {
    return this.openMessages;
  }

  /** Notes the moment of the batch that runs. */
  setClock({ now, elapsed }: Moment): void {
    this.clockOffset = elapsed - now;
  }

  /** Converts a Unix time to the monotonic clock, by which {@link open} holds back retries. */
  toElapsed(time: number): number {
    return time + this.clockOffset;
  }

  /** Converts a time of the monotonic clock to Unix milliseconds. */
  toUnix(elapsed: number): number {
    return Math.ceil(elapsed - this.clockOffset);
  }

  nextOrd(): number {
    return ++this.lastOrd;
  }

  /** The ord of the next message. */
  get upcomingOrd(): number {
    return this.lastOrd + 1;
  }

  nextEpoch(): number {
    return ++this.lastEpoch;
  }

  /** Reads the state from the tables, at the start and after a rollback. */
  rebuild(): void {
    this.directory.forgetAll();
    this.log.forgetAll();
    this.queue.forgetAll();
    this.lastOrd = this.readLastOrd();
    this.openMessages = this.makeOpenMessages();
    this.activity.endAll();
    for (const row of prepare<QueueRow>(this.database, SELECT_QUEUE).iterate()) this.restore(row);
  }

  private makeOpenMessages(): OpenMessages {
    return new OpenMessages((session) => this.activity.end(session));
  }

  private readLastOrd(): number {
    const newest = 'SELECT max(swept_ord, (SELECT coalesce(max(ord), 0) FROM messages)) AS ord FROM gateway';
    return required(prepare<{ ord: number }>(this.database, newest).get()).ord;
  }

  private restore({ ord, session, client, priority, state, notBefore, cancelRequested, ...row }: QueueRow): void {
    const runs = state === 'running' && row.epoch > this.firstEpoch;
    const wasInterrupted = state === 'running' && !runs && !this.waiting.has(ord, this.refs.format(ord));
    const message: OpenMessage = {
      ord,
      session,
      client,
      owner: ownerOf(row),
      priority,
      epoch: runs ? row.epoch : 0,
      cancelRequested: cancelRequested === 1,
      attempt: row.attempt,
      interruptions: row.interruptions + Number(wasInterrupted),
    };
    this.activity.recall(session);
    if (runs) this.open.addRunning(message);
    else if (state === 'queued') this.open.add(message);
    else this.open.addFirst(message, this.toElapsed(notBefore));
  }

  private recallActivity(now: number): void {
    const recent = prepare<{ session: number; receivedAt: number }>(
      this.database,
      'SELECT session, received_at AS receivedAt FROM messages WHERE ord > ? AND received_at >= ? ORDER BY ord',
    );
    for (const { session, receivedAt } of recent.iterate(this.lastOrd - ACTIVITY_ROWS, now - ACTIVITY_WINDOW_MS)) {
      this.activity.touch(session, receivedAt);
    }
  }
}
