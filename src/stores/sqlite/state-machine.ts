import type { DatabaseSync } from 'node:sqlite';
import { failpoint } from '../../core/failpoints/failpoint.js';
import { ApprovalOperations } from './approval-operations.js';
import { AuditTrail } from './audit-trail.js';
import { explainOpening, openDatabase } from './database.js';
import { FrameOperations } from './frame-operations.js';
import { MediaOperations } from './media-operations.js';
import { MemoryOperations } from './memory-operations.js';
import { MessageTable } from './message-table.js';
import type { Batch, BatchReply, Call, Failure, OperationAnswer, Operations } from './operations.js';
import type { PackedOutcome } from './packing.js';
import { QueueOperations } from './queue-operations.js';
import { SessionOperations } from './session-operations.js';
import { SettingsOperations } from './settings-operations.js';
import { isUnavailable } from './sqlite-errors.js';
import { Sweeper } from './sweeper.js';
import { TurnOperations } from './turn-operations.js';
import { TableState } from './table-state.js';

/** A commit that is younger than this proves well enough that commits are possible. */
const CHECK_FRESH_MS = 1_000;

/** What a transaction holds, for the failpoints around its commit. */
interface Contents {
  accepted: boolean;
  claimed: boolean;
  appended: boolean;
  finished: boolean;
  configured: boolean;
  checked: boolean;
}

/** A state machine on a database that this process owns. */
export interface OpenStateMachine {
  readonly machine: SqliteStateMachine;
  /** The schema versions that opening has applied. */
  readonly migrated: readonly number[];
  readonly close: () => void;
}

/**
 * Opens a database and takes it over.
 * @throws Error for the operator, see {@link openDatabase}
 */
export function openStateMachine(path: string | undefined, now: number): OpenStateMachine {
  const opened = openDatabase(path);
  try {
    const machine = new SqliteStateMachine(opened.database, now);
    return { machine, migrated: opened.migrated, close: () => opened.close() };
  } catch (error) {
    opened.close();
    throw explainOpening(error, path);
  }
}

/**
 * The store's state machine: batches of calls against one open database, one after the other. It is synchronous and
 * knows no thread. A batch of writes is one transaction; what it answers is committed.
 */
export class SqliteStateMachine {
  private readonly tables: TableState;
  private readonly operations: Operations;
  private readonly touch;
  /** When something was committed last. */
  private provenAt = Number.NEGATIVE_INFINITY;
  /** The newest commit has failed: the next is tried on something small before memory and batches are risked. */
  private suspect = false;
  /** The memory no longer tells what the tables say, since a transaction was rolled back. */
  private stale = false;

  /** Takes over a migrated database. */
  constructor(
    private readonly database: DatabaseSync,
    now: number,
  ) {
    this.tables = new TableState(database, now);
    this.touch = database.prepare('UPDATE gateway SET checked_at = ?');
    this.operations = this.assemble();
  }

  private assemble(): Operations {
    const { tables } = this;
    const messages = new MessageTable(this.database, tables);
    const sessions = new SessionOperations(tables, messages);
    const queue = new QueueOperations(tables, messages, sessions);
    const turns = new TurnOperations(tables, messages, queue);
    const frames = new FrameOperations(tables);
    const audit = new AuditTrail(this.database);
    const settings = new SettingsOperations(this.database, audit);
    const media = new MediaOperations(this.database);
    const memories = new MemoryOperations(this.database);
    const approvals = new ApprovalOperations(this.database, audit);
    const sweeper = new Sweeper(tables);
    return {
      accept: (...all) => queue.accept(...all),
      claim: (...all) => queue.claim(...all),
      postpone: (...all) => queue.postpone(...all),
      cancel: (...all) => queue.cancel(...all),
      renew: (...all) => queue.renew(...all),
      findMessage: (...all) => queue.findMessage(...all),
      count: (...all) => queue.count(...all),
      append: (...all) => turns.append(...all),
      finish: (...all) => turns.finish(...all),
      join: (...all) => turns.join(...all),
      listWaiting: (...all) => queue.listWaiting(...all),
      readTurn: (...all) => turns.readTurn(...all),
      readContext: (...all) => turns.readContext(...all),
      updateSession: (...all) => sessions.updateSession(...all),
      findSession: (...all) => sessions.findSession(...all),
      findLatestMain: (...all) => sessions.findLatestMain(...all),
      readHistory: (...all) => sessions.readHistory(...all),
      react: (...all) => sessions.react(...all),
      addMedia: (...all) => media.addMedia(...all),
      findMedia: (...all) => media.findMedia(...all),
      assignMedia: (...all) => media.assignMedia(...all),
      listExpiredMedia: (...all) => media.listExpiredMedia(...all),
      forgetMedia: (...all) => media.forgetMedia(...all),
      saveMemory: (...all) => memories.saveMemory(...all),
      searchMemories: (...all) => memories.searchMemories(...all),
      openApproval: (...all) => approvals.openApproval(...all),
      findApproval: (...all) => approvals.findApproval(...all),
      listPendingApprovals: (...all) => approvals.listPendingApprovals(...all),
      decideApproval: (...all) => approvals.decideApproval(...all),
      readSettings: () => settings.readSettings(),
      changeSettings: (...all) => settings.changeSettings(...all),
      readSecret: () => settings.readSecret(),
      moveCursor: (...all) => frames.moveCursor(...all),
      readFrames: (...all) => frames.readFrames(...all),
      readHeads: (...all) => frames.readHeads(...all),
      listResumable: (...all) => frames.listResumable(...all),
      check: (now) => this.check(now),
      sweep: (...all) => sweeper.sweep(...all),
    };
  }

  /** Runs a batch and answers each of its calls. Never throws. */
  run(batch: Batch): BatchReply {
    return batch.kind === 'read' ? this.read(batch) : this.write(batch.now, batch.calls);
  }

  private read({ now, calls }: Batch): BatchReply {
    const answers: unknown[] = [];
    const failures: Failure[] = [];
    calls.forEach((call, index) => {
      try {
        this.refresh();
        answers[index] = this.perform(now, call);
      } catch (error) {
        failures.push(failureOf(index, error));
      }
    });
    return { answers, failures };
  }

  private write(now: number, calls: readonly Call[]): BatchReply {
    try {
      if (this.suspect) this.probe(now);
      return { answers: this.transact(now, calls), failures: [] };
    } catch (error) {
      this.rollBack();
      if (isUnavailable(error)) {
        this.suspect = true;
        return { answers: [], failures: calls.map((_, index) => failureOf(index, error)) };
      }
      if (calls.length === 1) return { answers: [], failures: [failureOf(0, error)] };
      return this.writeEach(now, calls);
    }
  }

  /** One call of the batch is at fault and must not spoil the others: each gets a transaction of its own. */
  private writeEach(now: number, calls: readonly Call[]): BatchReply {
    const answers: unknown[] = [];
    const failures: Failure[] = [];
    calls.forEach((call, index) => {
      const reply = this.write(now, [call]);
      answers[index] = reply.answers[0];
      failures.push(...reply.failures.map((failure) => ({ ...failure, index })));
    });
    return { answers, failures };
  }

  private transact(now: number, calls: readonly Call[]): unknown[] {
    this.refresh();
    this.database.exec('BEGIN');
    // From here on the memory is ahead of the tables, until the commit.
    this.stale = true;
    const answers = calls.map((call) => this.perform(now, call));
    const contents = contentsOf(calls, answers);
    if (contents.accepted) failpoint('enqueue.before_commit');
    if (contents.appended) failpoint('block.mid_batch');
    if (contents.finished) failpoint('finish.before_commit');
    if (contents.configured) failpoint('config.mid');
    this.database.exec('COMMIT');
    this.stale = false;
    if (Object.values(contents).includes(true)) this.provenAt = now;
    if (contents.accepted) failpoint('enqueue.after_commit');
    if (contents.claimed) failpoint('claim.after');
    if (contents.finished) failpoint('finish.after_commit');
    return answers;
  }

  private perform(now: number, [name, ...all]: Call): unknown {
    // The table of operations and the type of a call are made from one interface: the arguments fit the name.
    const operation = this.operations[name] as (now: number, ...all: readonly unknown[]) => unknown;
    return operation(now, ...all);
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
      // SQLite has rolled back by itself, or will before the next BEGIN succeeds.
    }
  }

  /** A small commit of its own; throws while commits are not possible. */
  private probe(now: number): void {
    this.touch.run(now);
    this.suspect = false;
    this.provenAt = now;
  }

  /** Writes something small unless a commit has just succeeded; answers whether it did. */
  private check(now: number): boolean {
    if (now >= this.provenAt && now - this.provenAt < CHECK_FRESH_MS) return false;
    this.touch.run(now);
    return true;
  }
}

function failureOf(index: number, error: unknown): Failure {
  return { index, error: error instanceof Error ? error : new Error(String(error)), unavailable: isUnavailable(error) };
}

function contentsOf(calls: readonly Call[], answers: readonly unknown[]): Contents {
  const contents: Contents = {
    accepted: false,
    claimed: false,
    appended: false,
    finished: false,
    configured: false,
    checked: false,
  };
  calls.forEach(([name], index) => {
    const answer = answers[index];
    if (name === 'accept') contents.accepted ||= isAccepted(answer as PackedOutcome);
    else if (name === 'claim') contents.claimed ||= (answer as OperationAnswer<'claim'>).claims.length > 0;
    else if (name === 'append') contents.appended ||= answer !== undefined;
    else if (name === 'finish') contents.finished ||= answer !== undefined;
    else if (name === 'changeSettings') contents.configured ||= answer !== undefined;
    else if (name === 'check') contents.checked ||= answer === true;
  });
  return contents;
}

function isAccepted(outcome: PackedOutcome): boolean {
  return !('kind' in outcome) && outcome[0] === 'accepted';
}
