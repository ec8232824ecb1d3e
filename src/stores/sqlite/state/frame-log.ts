import type { DatabaseSync } from 'node:sqlite';
import type { DurableFrame, FramePage, Json } from '../../../core/store/index.js';
import type { DurableType } from '../../../protocol/index.js';
import type { LogEpoch } from './log-epochs.js';
import { LogHeads, type LogHead } from './log-heads.js';
import type { MessageRefs } from './message-refs.js';
import type { FrameRow } from '../thread/packing.js';
import { prepare, required } from '../sql/statement.js';

const COLUMNS =
  'frames.seq, frames.ord, frames.type, frames.timestamp, frames.payload, messages.message_id AS messageId';
const JOINED = 'frames JOIN messages ON messages.ord = frames.ord';

/** Maximum difference between the times of frames and of their message after a step of the clock, in milliseconds. */
const CLOCK_TOLERANCE_MS = 60_000;

interface Columns {
  readonly seq: number;
  readonly ord: number;
  readonly type: DurableType;
  readonly timestamp: number;
  readonly payload: Json;
  readonly messageId: string;
}

/** The logs of all sessions. The seqs of a session are dense from 1 and only grow. */
export class FrameLog {
  private readonly heads = new LogHeads((session) => this.readHead(session));

  private readonly selectNewest;
  private readonly selectSwept;
  private readonly selectAfter;
  private readonly selectOfMessage;
  private readonly selectBlocks;
  private readonly selectAny;
  private readonly selectTimestamp;
  private readonly insertFrame;
  private readonly selectEpoch;
  private readonly selectSweptEpoch;
  private readonly setSweptEpoch;
  private readonly startAging;

  constructor(
    database: DatabaseSync,
    private readonly refs: MessageRefs,
    private readonly epochs: readonly LogEpoch[],
  ) {
    this.selectNewest = prepare<{ seq: number | null }>(
      database,
      'SELECT max(seq) AS seq FROM frames WHERE session = ?',
    );
    this.selectSwept = prepare<{ seq: number }>(database, 'SELECT swept_seq AS seq FROM sessions WHERE session = ?');
    this.selectAfter = prepare<Columns>(
      database,
      `SELECT ${COLUMNS} FROM ${JOINED} WHERE frames.session = ? AND seq > ? ORDER BY seq LIMIT ?`,
    );
    this.selectOfMessage = prepare<Columns>(
      database,
      `SELECT ${COLUMNS} FROM ${JOINED} WHERE frames.session = ? AND seq > ? AND frames.ord = ? ORDER BY seq`,
    );
    // The columns beside max() are those of the row that has it.
    this.selectBlocks = prepare<{ blocks: Json }>(
      database,
      `SELECT '[' || ifnull(group_concat(block, ',' ORDER BY place), '') || ']' AS blocks FROM (
         SELECT payload ->> 'index' AS place, max(seq),
           json_remove(payload, '$.message_id', '$.message_ref', '$.attempt', '$.index') AS block
         FROM frames WHERE session = ? AND seq > ? AND ord = ? AND type = 'stream_block' GROUP BY place HAVING place < ?)`,
    );
    this.selectAny = prepare<{ 1: 1 }>(
      database,
      'SELECT 1 FROM frames WHERE session = ? AND seq > ? AND ord = ? LIMIT 1',
    );
    this.selectTimestamp = prepare<{ timestamp: number }>(
      database,
      'SELECT timestamp FROM frames WHERE session = ? AND seq = ?',
    );
    this.insertFrame = prepare(
      database,
      `INSERT INTO frames (session, seq, ord, type, timestamp, payload, epoch)
       VALUES (?, ?, ?, ?, ?, ?, ${required(epochs.at(-1)).number})`,
    );
    this.selectEpoch = prepare<{ epoch: number }>(database, 'SELECT epoch FROM frames WHERE session = ? AND seq = ?');
    this.selectSweptEpoch = prepare<{ epoch: number }>(
      database,
      'SELECT swept_epoch AS epoch FROM sessions WHERE session = ?',
    );
    this.setSweptEpoch = prepare(
      database,
      'UPDATE sessions SET swept_epoch = (SELECT epoch FROM frames WHERE session = ?1 AND seq = ?2) WHERE session = ?1',
    );
    this.startAging = prepare(database, 'UPDATE sessions SET oldest_frame_at = ? WHERE session = ?');
  }

  /** Returns the seq of the session's newest frame; 0 if it never had one. */
  head(session: number): number {
    return this.heads.seq(session);
  }

  /** Returns the newest seq that retention has deleted; 0 if none. */
  sweptSeq(session: number): number {
    return this.heads.sweptSeq(session);
  }

  /**
   * Returns whether a client that got frame `seq` under the epoch `name` got it from this log: the start of that name is
   * one of this log's, and the frame was written in it or before. 0 stands for no frame, which every log has.
   */
  hasFrame(session: number, seq: number, name: string): boolean {
    if (seq === 0) return true;
    const sweptSeq = this.sweptSeq(session);
    const number = this.epochs.find((epoch) => epoch.name === name)?.number;
    if (number === undefined || seq > this.head(session)) return false;
    // After an older frame that retention has deleted a resume has a gap, whatever its epoch.
    if (seq < sweptSeq) return true;
    const select = seq === sweptSeq ? this.selectSweptEpoch.get(session) : this.selectEpoch.get(session, seq);
    return required(select).epoch <= number;
  }

  /** Notes in which start the frame `seq` was written. Called before it is deleted as the newest of those past retention. */
  keepEpoch(session: number, seq: number): void {
    this.setSweptEpoch.run(session, seq);
  }

  /** Appends frames. Returns the seq of the first. */
  append(session: number, frames: readonly FrameRow[]): number {
    let seq = this.head(session);
    const first = seq + 1;
    const [oldest] = frames;
    if (oldest && seq === this.sweptSeq(session)) this.startAging.run(oldest.timestamp, session);
    let ref = '';
    let ord: number | undefined;
    for (const { type, messageRef, timestamp, payload } of frames) {
      // Most frames of a write are of one message.
      if (messageRef !== ref) ord = this.refs.parse((ref = messageRef));
      if (ord === undefined) throw new Error(`a frame names the message ${messageRef}, which does not exist`);
      this.insertFrame.run(session, ++seq, ord, type, timestamp, payload);
    }
    this.heads.advance(session, seq);
    return first;
  }

  readPage(session: number, sessionId: string, afterSeq: number, maxFrames: number, maxBytes: number): FramePage {
    const frames: DurableFrame[] = [];
    let bytes = 0;
    for (const row of this.selectAfter.iterate(session, afterSeq, maxFrames)) {
      const frame = this.toFrame(sessionId, row);
      bytes += frame.payload.length;
      if (bytes > maxBytes && frames.length > 0) break;
      frames.push(frame);
    }
    return { frames, headSeq: this.head(session), firstSeq: this.sweptSeq(session) + 1 };
  }

  /** Reads the frames of one message after `afterSeq`. */
  readMessage(session: number, sessionId: string, ord: number, afterSeq: number): DurableFrame[] {
    return this.selectOfMessage.all(session, afterSeq, ord).map((row) => this.toFrame(sessionId, row));
  }

  /** Returns the first `count` blocks of a message after `afterSeq` as JSON, of each index the newest. */
  joinBlocks(session: number, ord: number, afterSeq: number, count: number): Json {
    return required(this.selectBlocks.get(session, afterSeq, ord, count)).blocks;
  }

  /**
   * Returns between which seqs the frames of a message lie, from when it was received and when it ended. Frames have no index by
   * message: a log is written in the order of time.
   */
  findRange(session: number, receivedAt: number, endedAt: number): [after: number, upTo: number] {
    return [
      this.findSeq(session, receivedAt - CLOCK_TOLERANCE_MS),
      this.findSeq(session, endedAt + CLOCK_TOLERANCE_MS + 1),
    ];
  }

  /** Returns the newest seq before a time. */
  private findSeq(session: number, time: number): number {
    let [low, high] = [this.sweptSeq(session), this.head(session)];
    while (low < high) {
      const middle = Math.floor((low + high) / 2) + 1;
      if ((this.selectTimestamp.get(session, middle)?.timestamp ?? 0) < time) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Returns whether a message has a frame after `afterSeq`. */
  hasFrames(session: number, ord: number, afterSeq: number): boolean {
    return this.selectAny.get(session, afterSeq, ord) !== undefined;
  }

  /** Notes the bounds of a session's log, which were just read. */
  note(session: number, head: LogHead): void {
    this.heads.note(session, head);
  }

  forget(session: number): void {
    this.heads.forget(session);
  }

  forgetAll(): void {
    this.heads.forgetAll();
  }

  private readHead(session: number): LogHead {
    const sweptSeq = this.selectSwept.get(session)?.seq ?? 0;
    return { seq: this.selectNewest.get(session)?.seq ?? sweptSeq, sweptSeq };
  }

  private toFrame(sessionId: string, { seq, type, ord, messageId, timestamp, payload }: Columns): DurableFrame {
    return { sessionId, seq, type, messageRef: this.refs.format(ord), messageId, timestamp, payload };
  }
}
