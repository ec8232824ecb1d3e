import type { DatabaseSync } from 'node:sqlite';
import type { Moment } from '../../core/time/clock.js';
import { failpoint } from '../../core/failpoints/failpoint.js';
import { AdminOperations } from './sql/admin-operations.js';
import { ApprovalOperations } from './sql/approval-operations.js';
import { AuditTrail } from './sql/audit-trail.js';
import { CanvasOperations } from './sql/canvas-operations.js';
import { CanvasStates } from './sql/canvas-states.js';
import { ChannelOperations } from './sql/channel-operations.js';
import { CredentialOperations } from './sql/credential-operations.js';
import { CronOperations } from './sql/cron-operations.js';
import { explainOpening, openDatabase } from './file/database.js';
import { Erasure } from './sql/erasure.js';
import { FrameOperations } from './sql/frame-operations.js';
import { Heartbeat } from './sql/heartbeat.js';
import { MediaOperations } from './sql/media-operations.js';
import { MemoryOperations } from './sql/memory-operations.js';
import { MessageTable } from './sql/message-table.js';
import { NodeOperations } from './sql/node-operations.js';
import { NodeTrafficOperations } from './sql/node-traffic-operations.js';
import {
  OPERATIONS,
  type Batch,
  type BatchReply,
  type Call,
  type Change,
  type Failure,
  type Operation,
  type OperationName,
  type Parts,
} from './operations/index.js';
import { QueueOperations } from './sql/queue-operations.js';
import { RulingOperations } from './sql/ruling-operations.js';
import { SessionLists } from './sql/session-lists.js';
import { SessionOperations } from './sql/session-operations.js';
import { SettingsOperations } from './sql/settings-operations.js';
import { SignInOperations } from './sql/sign-in-operations.js';
import { isUnavailable } from './sqlite-errors.js';
import { Sweeper } from './sql/sweeper.js';
import { TailscaleOperations } from './sql/tailscale-operations.js';
import { TableState } from './state/table-state.js';
import { TurnOperations } from './sql/turn-operations.js';
import { UsageOperations } from './sql/usage-operations.js';

/** Operations that neither read nor change rows of `queue` but by `QueueTable`, so that new rows may wait for the commit. */
const LEAVES_ROWS_WAITING: ReadonlySet<OperationName> = new Set(['accept', 'claim', 'append', 'finish', 'moveCursor']);

export interface OpenStateMachine {
  readonly machine: SqliteStateMachine;
  /** The schema versions that were applied when opening. */
  readonly migrated: readonly number[];
  /** The last process to have it open did not close it. */
  readonly isRecovered: boolean;
  /** The random name of this opening. */
  readonly logEpoch: string;
  readonly close: () => void;
}

/**
 * Opens a database and a state machine on it.
 * @throws Error for the operator, see {@link openDatabase}
 */
export function openStateMachine(path: string | undefined, startedAt: Moment): OpenStateMachine {
  const opened = openDatabase(path);
  try {
    const machine = new SqliteStateMachine(opened.database, startedAt);
    const { migrated, isRecovered } = opened;
    const { logEpoch } = machine;
    return { machine, migrated, isRecovered, logEpoch, close: () => opened.close() };
  } catch (error) {
    opened.close();
    throw explainOpening(error, path);
  }
}

/**
 * The store's state machine. It runs batches of calls on an open database, one after the other, synchronously and
 * without knowledge of threads. A batch of writes is one transaction, committed when it returns.
 */
export class SqliteStateMachine {
  private readonly tables: TableState;
  private readonly parts: Parts & { now: number };
  /** The last commit failed: probe with a small write before running the next batch. */
  private suspect = false;
  /** The state in memory differs from the tables because a transaction was rolled back. */
  private stale = false;

  /** Takes ownership of a migrated database. */
  constructor(
    private readonly database: DatabaseSync,
    startedAt: Moment,
  ) {
    this.tables = new TableState(database, startedAt);
    const messages = new MessageTable(database, this.tables);
    const audit = new AuditTrail(database);
    const sessions = new SessionOperations(this.tables, messages, audit);
    const approvals = new ApprovalOperations(database, audit);
    const queue = new QueueOperations(
      this.tables,
      messages,
      sessions,
      new RulingOperations(this.tables, messages, approvals),
    );
    const channels = new ChannelOperations(database, audit);
    const sweeper = new Sweeper(this.tables);
    const usage = new UsageOperations(database);
    this.parts = {
      now: startedAt.now,
      admin: new AdminOperations({ tables: this.tables, messages, approvals, channels, sweeper, audit }),
      erasure: new Erasure(this.tables, audit, usage),
      lists: new SessionLists(this.tables, sessions),
      queue,
      turns: new TurnOperations(this.tables, messages, queue, usage),
      sessions,
      frames: new FrameOperations(this.tables),
      settings: new SettingsOperations(database, audit),
      signIns: new SignInOperations(database, audit),
      approvals,
      canvas: new CanvasOperations(database, new CanvasStates(this.tables)),
      channels,
      credentials: new CredentialOperations(database, audit),
      cron: new CronOperations(database, this.tables.refs, audit),
      media: new MediaOperations(database),
      memories: new MemoryOperations(database),
      nodes: new NodeOperations(database, audit),
      nodeTraffic: new NodeTrafficOperations(database),
      audit,
      sweeper,
      tailscale: new TailscaleOperations(database),
      usage,
      heartbeat: new Heartbeat(database),
    };
  }

  get logEpoch(): string {
    return this.tables.logEpoch.name;
  }

  /** Runs a batch. Returns the results of all its calls. Never throws. */
  run({ kind, calls, ...sentAt }: Batch): BatchReply {
    this.parts.now = sentAt.now;
    this.tables.setClock(sentAt);
    return kind === 'read' ? this.read(calls) : this.write(calls);
  }

  private read(calls: readonly Call[]): BatchReply {
    const results: unknown[] = [];
    const failures: Failure[] = [];
    calls.forEach((call, index) => {
      try {
        this.refresh();
        results[index] = this.perform(call);
      } catch (error) {
        failures.push(failureOf(index, error));
      }
    });
    return { results, failures };
  }

  private write(calls: readonly Call[]): BatchReply {
    try {
      if (this.suspect) this.probe();
      return { results: this.transact(calls), failures: [] };
    } catch (error) {
      this.rollBack();
      if (isUnavailable(error)) {
        this.suspect = true;
        return { results: [], failures: calls.map((_, index) => failureOf(index, error)) };
      }
      if (calls.length === 1) return { results: [], failures: [failureOf(0, error)] };
      return this.writeEach(calls);
    }
  }

  /** Runs each call in its own transaction, after one call of the batch was at fault. */
  private writeEach(calls: readonly Call[]): BatchReply {
    const results: unknown[] = [];
    const failures: Failure[] = [];
    calls.forEach((call, index) => {
      const reply = this.write([call]);
      results[index] = reply.results[0];
      failures.push(...reply.failures.map((failure) => ({ ...failure, index })));
    });
    return { results, failures };
  }

  private transact(calls: readonly Call[]): unknown[] {
    this.refresh();
    this.database.exec('BEGIN');
    // Until the commit, the state in memory is ahead of the tables.
    this.stale = true;
    const results = calls.map((call) => {
      if (!LEAVES_ROWS_WAITING.has(call[0])) this.tables.queue.flush();
      return this.perform(call);
    });
    this.tables.queue.flush();
    const changes = changesOf(calls, results);
    for (const { before } of changes) if (before) failpoint(before);
    this.database.exec('COMMIT');
    this.stale = false;
    if (changes.size > 0) this.parts.heartbeat.proveBy(this.parts.now);
    for (const { after } of changes) if (after) failpoint(after);
    return results;
  }

  private perform([name, ...sent]: Call): unknown {
    const { run }: Operation = OPERATIONS[name];
    return run(this.parts, ...sent);
  }

  private refresh(): void {
    if (!this.stale) return;
    this.tables.rebuild();
    this.stale = false;
  }

  private rollBack(): void {
    try {
      if (this.database.isTransaction) this.database.exec('ROLLBACK');
    } catch {
      // SQLite has already rolled back, or will before the next BEGIN succeeds.
    }
  }

  /** Commits a small write; throws if commits are not possible. */
  private probe(): void {
    const { heartbeat, now } = this.parts;
    heartbeat.write(now);
    this.suspect = false;
    heartbeat.proveBy(now);
  }
}

function failureOf(index: number, error: unknown): Failure {
  return { index, error: error instanceof Error ? error : new Error(String(error)), unavailable: isUnavailable(error) };
}

/** Returns the kinds of changes in the transaction of these calls, each once. */
function changesOf(calls: readonly Call[], results: readonly unknown[]): ReadonlySet<Change> {
  const changes = new Set<Change>();
  calls.forEach(([name], index) => {
    const { change, hasChanged }: Operation = OPERATIONS[name];
    if (change && !changes.has(change) && hasChanged?.(results[index])) changes.add(change);
  });
  return changes;
}
