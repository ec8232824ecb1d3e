import type { JournalEntry, RecordedStep, TurnRecord } from '../../core/store/index.js';
import type { MessageTable } from './message-table.js';
import type { WrittenFrom } from './operations.js';
import type { OpenMessage } from './open-messages.js';
import type { LeaseKey, PackedEnd, PackedFrame, PackedMessageWithReply } from './packing.js';
import type { QueueOperations } from './queue-operations.js';
import { required } from './rows.js';
import type { TableState } from './table-state.js';

/** What a running turn writes and reads. */
export class TurnOperations {
  private readonly insertStep;
  private readonly selectSteps;
  private readonly selectHeadBefore;
  private readonly selectContextFrom;

  constructor(
    private readonly tables: TableState,
    private readonly messages: MessageTable,
    private readonly queue: QueueOperations,
  ) {
    const { database } = tables;
    this.insertStep = database.prepare('INSERT INTO journal (ord, step, kind, body, head_seq) VALUES (?, ?, ?, ?, ?)');
    this.selectSteps = database.prepare(
      'SELECT step, kind, body, head_seq AS headSeq FROM journal WHERE ord = ? ORDER BY step',
    );
    this.selectHeadBefore = database.prepare('SELECT head_before FROM queue WHERE ord = ?');
    this.selectContextFrom = database.prepare('SELECT context_from FROM sessions WHERE session = ?');
  }

  append(_now: number, lease: LeaseKey, frames: readonly PackedFrame[], journal: readonly JournalEntry[]): WrittenFrom {
    const message = this.queue.findRunning(lease);
    return message && this.write(message, frames, journal);
  }

  finish(
    _now: number,
    lease: LeaseKey,
    frames: readonly PackedFrame[],
    journal: readonly JournalEntry[],
    end: PackedEnd,
  ): WrittenFrom {
    const message = this.queue.findRunning(lease);
    if (!message) return undefined;
    const first = this.write(message, frames, journal);
    this.messages.insertEnd(message.ord, end);
    this.queue.end(message);
    return first;
  }

  join(
    _now: number,
    lease: LeaseKey,
    frames: readonly PackedFrame[],
    journal: readonly JournalEntry[],
    ends: readonly (readonly [messageRef: string, end: PackedEnd])[],
  ): WrittenFrom | 'changed' {
    const message = this.queue.findRunning(lease);
    if (!message) return undefined;
    const joining = ends.flatMap(([messageRef, end]) => {
      const waiting = this.queue.findWaiting(messageRef, message.session);
      return waiting ? [{ waiting, end }] : [];
    });
    if (joining.length < ends.length) return 'changed';
    const first = this.write(message, frames, journal);
    for (const { waiting, end } of joining) {
      this.messages.insertEnd(waiting.ord, end);
      this.queue.end(waiting);
    }
    return first;
  }

  private write(message: OpenMessage, frames: readonly PackedFrame[], journal: readonly JournalEntry[]): number {
    const { log } = this.tables;
    const first = log.append(message.session, frames);
    for (const { step, kind, body } of journal) {
      this.insertStep.run(message.ord, step, kind, body, log.head(message.session));
    }
    return first;
  }

  readTurn(_now: number, messageRef: string): TurnRecord {
    const ord = this.tables.refs.parse(messageRef);
    const message = ord === undefined ? undefined : this.messages.find(ord);
    if (ord === undefined || !message) return { steps: [], frames: [] };
    const [, , , , , sessionId] = message;
    const { session } = required(this.tables.directory.findSession(sessionId));
    const headBefore = (this.selectHeadBefore.get(ord)?.['head_before'] as number | null | undefined) ?? 0;
    return {
      steps: this.selectSteps.all(ord).map((row) => ({ ...row }) as unknown as RecordedStep),
      frames: this.tables.log.readMessage(session, sessionId, ord, headBefore),
    };
  }

  readContext(_now: number, sessionId: string, beforeRef: string, limit: number): PackedMessageWithReply[] {
    const entry = this.tables.directory.findSession(sessionId);
    const before = this.tables.refs.parse(beforeRef);
    if (!entry || before === undefined) return [];
    const from = required(this.selectContextFrom.get(entry.session))['context_from'] as number;
    return this.messages.readPage(entry.session, from, before, limit).reverse();
  }
}
