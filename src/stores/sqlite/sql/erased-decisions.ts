import type { DatabaseSync } from 'node:sqlite';
import { QUESTION_CHANNEL } from '../../../core/sessions/question-channel.js';
import type { Reply } from '../../../core/store/index.js';
import type { TableState } from '../state/table-state.js';
import { prepare } from './statement.js';

interface Denial {
  readonly sessionId: string;
  readonly messageRef: string;
  readonly callId: string;
}

interface SessionKey {
  readonly session: number;
  readonly id: string;
}

/** The messages of a session with `fromOrd <= ord <= toOrd`. */
interface Range {
  readonly session: number;
  readonly fromOrd: number;
  readonly toOrd: number;
}

type Fields = Record<string, unknown>;

/**
 * Replaces the name of a person where a conversation says who has denied a call: in frames, replies and journals. The
 * approvals identify these calls, as long as they are kept.
 */
export class ErasedDecisions {
  private readonly statements;

  constructor(private readonly tables: TableState) {
    this.statements = prepareAll(tables.database);
  }

  /** @param subject the ID of the person in the audit trail, which takes the place of the name */
  replace(subject: string): void {
    for (const denial of this.statements.denials.all(subject))
      for (const range of this.listRanges(denial)) this.replaceIn(range, denial.callId, subject);
  }

  /** Lists where a call may be shown: in the message that it is for, and in the sessions of the agents that were asked for it. */
  private listRanges({ sessionId, messageRef }: Denial): readonly Range[] {
    const ord = this.tables.refs.parse(messageRef);
    const own = this.statements.session.get(sessionId);
    if (ord === undefined || !own) return [];
    // A question comes after the message that led to it.
    const asked = this.listAsked(sessionId).map(({ session }) => ({ session, fromOrd: ord, toOrd: Infinity }));
    return [{ session: own.session, fromOrd: ord, toOrd: ord }, ...asked];
  }

  /** Lists the sessions in which agents were asked from a session, directly and by others. */
  private listAsked(sessionId: string): readonly SessionKey[] {
    return this.statements.asked.all(sessionId).flatMap((asked) => [asked, ...this.listAsked(asked.id)]);
  }

  private replaceIn({ session, fromOrd, toOrd }: Range, callId: string, subject: string): void {
    const { statements } = this;
    const upTo = Math.min(toOrd, Number.MAX_SAFE_INTEGER);
    const mark = (fields: Fields) =>
      fields['call_id'] === callId && 'decided_by' in fields ? { ...fields, decided_by: subject } : fields;
    for (const { frame, payload } of statements.frames.all(session, fromOrd, upTo, callId))
      statements.setFrame.run(JSON.stringify(mark(markContent(JSON.parse(payload) as Fields, mark))), frame);
    for (const { ord, reply } of statements.replies.all(session, fromOrd, upTo, callId)) {
      const { blocks, ...others } = JSON.parse(reply) as Reply;
      const marked = blocks.map((block) => markContent({ ...block }, mark));
      statements.setReply.run(JSON.stringify({ ...others, blocks: marked }), ord);
    }
    for (const { ord, step, body } of statements.results.all(session, fromOrd, upTo, callId)) {
      const result = JSON.parse(body) as { callId: string; end?: Fields };
      if (result.callId !== callId || result.end?.['decided_by'] === undefined) continue;
      statements.setResult.run(JSON.stringify({ ...result, end: { ...result.end, decided_by: subject } }), ord, step);
    }
  }
}

/** Changes what the content of a block with a result says. */
function markContent(block: Fields, mark: (fields: Fields) => Fields): Fields {
  const { block_type: type, content } = block;
  if (type !== 'tool_result' || typeof content !== 'string') return block;
  try {
    return { ...block, content: JSON.stringify(mark(JSON.parse(content) as Fields)) };
  } catch {
    // Part of a result whose turn was stopped.
    return block;
  }
}

function prepareAll(database: DatabaseSync) {
  const inRange = 'session = ? AND ord BETWEEN ? AND ?';
  return {
    denials: prepare<Denial>(
      database,
      `SELECT session_id AS sessionId, message_ref AS messageRef, call_id AS callId FROM approvals
       WHERE decider = ? AND decision = 'deny'`,
    ),
    session: prepare<SessionKey>(database, 'SELECT session, id FROM sessions WHERE id = ?'),
    asked: prepare<SessionKey>(
      database,
      `SELECT sessions.session, id FROM participants CROSS JOIN sessions ON sessions.session = participants.session
       WHERE sender = ? AND channel = '${QUESTION_CHANNEL}'`,
    ),
    frames: prepare<{ frame: number; payload: string }>(
      database,
      `SELECT frame, payload FROM frames WHERE ${inRange} AND instr(payload, ?)`,
    ),
    setFrame: prepare(database, 'UPDATE frames SET payload = ? WHERE frame = ?'),
    replies: prepare<{ ord: number; reply: string }>(
      database,
      `SELECT ord, reply FROM messages JOIN replies USING (ord) WHERE ${inRange} AND instr(reply, ?)`,
    ),
    setReply: prepare(database, 'UPDATE replies SET reply = ? WHERE ord = ?'),
    results: prepare<{ ord: number; step: number; body: string }>(
      database,
      `SELECT ord, step, body FROM messages JOIN journal USING (ord)
       WHERE ${inRange} AND kind = 'tool_result' AND instr(body, ?)`,
    ),
    setResult: prepare(database, 'UPDATE journal SET body = ? WHERE ord = ? AND step = ?'),
  };
}
