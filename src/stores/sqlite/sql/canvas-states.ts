import { clearOutdated } from '../../../core/canvas/canvas-block.js';
import type { StreamBlock } from '../../../protocol/domain.js';
import type { CanvasSurface, Reply, SurfaceDraft, SurfaceLimits } from '../../../core/store/index.js';
import { prepare } from './statement.js';
import { MAX_STEP_ROWS, type SweepBudget } from './sweep-budget.js';
import type { TableState } from '../state/table-state.js';

/** Frames of a session between the storing of a state and its block, at most. */
const MAX_FRAMES_BETWEEN = 10_000;
/** A state of a message that has not ended is looked at again after this time, in milliseconds. */
const LATER_MS = 60_000;
const CANVAS = '%"block_type":"canvas"%';

/** A state whose content is to leave the log. */
interface DueState {
  readonly state: number;
  readonly sessionId: string;
  readonly surfaceId: string;
  readonly version: number;
  readonly ord: number;
  readonly headSeq: number;
}

/**
 * Where the states of surfaces stand in the log. The content of those that later ones have replaced leaves the log and the
 * replies in time; their blocks stay, without it, so that the log has no gap.
 */
export class CanvasStates {
  private readonly statements;

  constructor(private readonly tables: TableState) {
    const { database } = tables;
    this.statements = {
      ageNewest: prepare(
        database,
        `UPDATE canvas_states SET due_at = made_at + ? WHERE session_id = ? AND surface_id = ? AND due_at IS NULL`,
      ),
      add: prepare(
        database,
        `INSERT INTO canvas_states (session_id, surface_id, version, ord, head_seq, bytes, made_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ),
      endBeyond: prepare(
        database,
        `UPDATE canvas_states SET due_at = 0 WHERE state IN (SELECT state FROM (
           SELECT state, due_at, row_number() OVER newest AS number, sum(bytes) OVER newest AS total FROM canvas_states
           WHERE session_id = ? AND surface_id = ? AND due_at IS NOT NULL WINDOW newest AS (ORDER BY version DESC)
         ) WHERE due_at > 0 AND (number > ? OR total > ?))`,
      ),
      due: prepare<DueState>(
        database,
        `SELECT state, session_id AS sessionId, surface_id AS surfaceId, version, ord, head_seq AS headSeq
         FROM canvas_states WHERE due_at <= ? ORDER BY due_at LIMIT ?`,
      ),
      postpone: prepare(database, 'UPDATE canvas_states SET due_at = ? WHERE state = ?'),
      forget: prepare(database, 'DELETE FROM canvas_states WHERE state = ?'),
      frames: prepare<{ frame: number; payload: string }>(
        database,
        `SELECT frame, payload FROM frames WHERE session = ? AND seq > ? AND seq <= ? AND ord = ? AND type = 'stream_block'
           AND payload LIKE '${CANVAS}'`,
      ),
      changeFrame: prepare(database, 'UPDATE frames SET payload = ? WHERE frame = ?'),
      reply: prepare<{ reply: string }>(database, `SELECT reply FROM replies WHERE ord = ? AND reply LIKE '${CANVAS}'`),
      changeReply: prepare(database, 'UPDATE replies SET reply = ? WHERE ord = ?'),
    };
  }

  /** Notes a new state, whose block follows in the log. */
  note({ content, messageRef }: SurfaceDraft, saved: CanvasSurface, { older }: SurfaceLimits): void {
    const { directory, log, refs } = this.tables;
    const { sessionId, surfaceId, version, isClosed, updatedAt } = saved;
    this.statements.ageNewest.run(older.ms, sessionId, surfaceId);
    const ord = refs.parse(messageRef);
    const session = directory.findSession(sessionId)?.session;
    if (!isClosed && ord !== undefined && session !== undefined) {
      const bytes = Buffer.byteLength(content ?? '');
      this.statements.add.run(sessionId, surfaceId, version, ord, log.head(session), bytes, updatedAt);
    }
    this.statements.endBeyond.run(sessionId, surfaceId, older.states, older.bytes);
  }

  /** Takes the content of some states that are due out of the log and the replies. Returns true if there may be more. */
  sweep(now: number, budget: SweepBudget): boolean {
    return !budget.repeat(() => {
      const due = this.statements.due.all(now, MAX_STEP_ROWS);
      for (const [ord, states] of Map.groupBy(due, (state) => state.ord)) this.clear(ord, states, now);
      return due.length;
    });
  }

  private clear(ord: number, states: readonly DueState[], now: number): void {
    const { directory, open } = this.tables;
    const [first] = states;
    const session = first && directory.findSession(first.sessionId)?.session;
    // A run that resumes a message compares what it has written.
    if (open.lanes.find(ord)) {
      for (const { state } of states) this.statements.postpone.run(now + LATER_MS, state);
      return;
    }
    const names = new Set(states.map(({ surfaceId, version }) => `${surfaceId} ${version}`));
    if (session !== undefined) this.changeFrames(session, ord, states, names);
    const reply = this.statements.reply.get(ord)?.reply;
    if (reply !== undefined) {
      const parsed = JSON.parse(reply) as Reply;
      const blocks = parsed.blocks.map((block) => clearOutdated(block, names));
      this.statements.changeReply.run(JSON.stringify({ ...parsed, blocks }), ord);
    }
    for (const { state } of states) this.statements.forget.run(state);
  }

  private changeFrames(session: number, ord: number, states: readonly DueState[], names: ReadonlySet<string>): void {
    const heads = states.map(({ headSeq }) => headSeq);
    const reach = Math.max(...heads) + MAX_FRAMES_BETWEEN;
    for (const { frame, payload } of this.statements.frames.all(session, Math.min(...heads), reach, ord))
      this.statements.changeFrame.run(JSON.stringify(clearOutdated(JSON.parse(payload) as StreamBlock, names)), frame);
  }
}
