import type { Json, RecordedStep, TurnRecord } from '../../../core/store/index.js';
import { addBlocks } from '../../../core/store/reply-blocks.js';
import type { MessageTable } from './message-table.js';
import type { OpenMessage } from '../state/open-messages.js';
import type { EndRow, HistoryRow, LeaseKey, TurnRows, WrittenFrom } from '../thread/packing.js';
import type { QueueOperations } from './queue-operations.js';
import { prepare, required } from './statement.js';
import type { TableState } from '../state/table-state.js';
import type { UsageOperations } from './usage-operations.js';

/** The operations of `TurnStore`. */
export class TurnOperations {
  private readonly insertStep;
  private readonly selectSteps;
  private readonly selectContextFrom;

  constructor(
    private readonly tables: TableState,
    private readonly messages: MessageTable,
    private readonly queue: QueueOperations,
    private readonly usage: UsageOperations,
  ) {
    const { database } = tables;
    this.insertStep = prepare(database, 'INSERT INTO journal (ord, step, kind, body, head_seq) VALUES (?, ?, ?, ?, ?)');
    this.selectSteps = prepare<RecordedStep>(
      database,
      'SELECT step, kind, body, head_seq AS headSeq FROM journal WHERE ord = ? ORDER BY step',
    );
    this.selectContextFrom = prepare<{ ord: number }>(
      database,
      'SELECT context_from AS ord FROM sessions WHERE session = ?',
    );
  }

  append(lease: LeaseKey, rows: TurnRows): WrittenFrom {
    const message = this.queue.findRunning(lease);
    return message && this.write(message, rows);
  }

  /** @param loggedBlocks number of blocks that the reply of `end` lacks and the log has */
  finish(lease: LeaseKey, rows: TurnRows, end: EndRow, loggedBlocks?: number): WrittenFrom {
    const message = this.queue.findRunning(lease);
    if (!message) return undefined;
    const first = this.write(message, rows);
    this.messages.insertEnd(message.ord, loggedBlocks === undefined ? end : this.complete(message, end, loggedBlocks));
    this.queue.end(message);
    return first;
  }

  join(
    lease: LeaseKey,
    rows: TurnRows,
    ended: readonly (readonly [messageRef: string, reply: Json])[],
  ): WrittenFrom | 'changed' {
    const message = this.queue.findRunning(lease);
    if (!message) return undefined;
    const joining = ended.flatMap(([messageRef, reply]) => {
      const waiting = this.queue.findWaiting(messageRef, message.session);
      return waiting ? [{ waiting, reply }] : [];
    });
    if (joining.length < ended.length) return 'changed';
    const first = this.write(message, rows);
    for (const { waiting, reply } of joining) {
      this.messages.insertEnd(waiting.ord, { status: 'done', reply });
      this.queue.end(waiting);
    }
    return first;
  }

  /** Adds the blocks of the log to the end of a message. */
  private complete({ ord, session }: OpenMessage, { status, reply }: EndRow, loggedBlocks: number): EndRow {
    const headBefore = this.tables.queue.headBefore(ord) ?? 0;
    return { status, reply: addBlocks(reply, this.tables.log.joinBlocks(session, ord, headBefore, loggedBlocks)) };
  }

  private write(message: OpenMessage, { frames, journal }: TurnRows): number {
    const { log } = this.tables;
    const first = log.append(message.session, frames);
    for (const { step, kind, body, usage } of journal) {
      this.insertStep.run(message.ord, step, kind, body, log.head(message.session));
      if (usage) this.usage.add(usage);
    }
    return first;
  }

  readTurn(messageRef: string): TurnRecord {
    const ord = this.tables.refs.parse(messageRef);
    const message = ord === undefined ? undefined : this.messages.find(ord);
    if (ord === undefined || !message) return { steps: [], frames: [] };
    const { session } = required(this.tables.directory.findSession(message.sessionId));
    const headBefore = this.tables.queue.headBefore(ord) ?? 0;
    return {
      steps: this.selectSteps.all(ord),
      frames: this.tables.log.readMessage(session, message.sessionId, ord, headBefore),
    };
  }

  readContext(sessionId: string, beforeRef: string, limit: number): HistoryRow[] {
    const entry = this.tables.directory.findSession(sessionId);
    const before = this.tables.refs.parse(beforeRef);
    if (!entry || before === undefined) return [];
    const from = required(this.selectContextFrom.get(entry.session)).ord;
    return this.messages.readStanding(entry.session, from, before, limit).reverse();
  }
}
