import type { DatabaseSync } from 'node:sqlite';
import type { ErasedCounts, ErasureOutcome, ErasureRequest, Reply } from '../../../core/store/index.js';
import type { MessageInPayload, SessionMode } from '../../../protocol/index.js';
import type { AuditTrail } from './audit-trail.js';
import { ErasedDecisions } from './erased-decisions.js';
import { prepare } from './statement.js';
import type { TableState } from '../state/table-state.js';
import type { UsageOperations } from './usage-operations.js';

/** Number of messages that one portion visits. */
const MAX_VISITED = 500;

type Counts = { -readonly [N in keyof ErasedCounts]: number };

interface VisitedSession {
  readonly session: number;
  readonly id: string;
  readonly mode: SessionMode;
}

interface VisitedMessage {
  readonly ord: number;
  readonly payload: string;
  readonly receivedAt: number;
}

/** Erases what a person has left, in portions: messages keep their rows and frames their seqs, without any content. */
export class Erasure {
  private readonly statements;
  private readonly decisions: ErasedDecisions;

  constructor(
    private readonly tables: TableState,
    private readonly audit: AuditTrail,
    private readonly usage: UsageOperations,
  ) {
    this.statements = prepareAll(tables.database);
    this.decisions = new ErasedDecisions(tables);
  }

  erase(now: number, request: ErasureRequest): ErasureOutcome {
    const { tenant, channel, sender } = request;
    const erased = { ...request.erased };
    let at = request.after ?? { session: 0, ord: 0 };
    let room = MAX_VISITED;
    for (;;) {
      const session = this.statements.nextSession.get(sender, at.session, tenant, channel);
      if (!session) break;
      const from = session.session === at.session ? at.ord : 0;
      const messages = this.statements.nextMessages.all(session.session, from, room);
      const unfinished = messages.filter((message) => !this.takeMessage(request, session, message, erased));
      at = { session: session.session, ord: messages.at(-1)?.ord ?? from };
      if (unfinished.length > 0)
        return { erased, next: at, unfinished: unfinished.map(({ ord }) => this.tables.refs.format(ord)) };
      room -= messages.length;
      if (room === 0) return { erased, next: at, unfinished: [] };
      this.leave(session, sender, erased);
      at = { session: session.session + 1, ord: 0 };
    }
    this.tables.directory.forgetAll();
    this.usage.eraseSender({ tenant, channel, sender });
    const subject = this.audit.findSubject({ tenant, channel, sender });
    if (subject !== undefined) this.decisions.replace(subject);
    this.audit.erase(now, { tenant, channel, sender }, request.actor, erased);
    return { erased, unfinished: [] };
  }

  /** Erases a message if the person has sent it. Returns false if it has not ended. */
  private takeMessage(
    { channel, sender }: ErasureRequest,
    session: VisitedSession,
    message: VisitedMessage,
    erased: Counts,
  ): boolean {
    this.statements.deleteReactions.run(message.ord, sender);
    const payload = JSON.parse(message.payload) as MessageInPayload;
    if (payload.sender !== sender) return true;
    if (this.tables.open.lanes.find(message.ord)) return false;
    this.eraseMessage(message.ord, payload, erased);
    this.eraseReply(session.session, message, erased);
    const ref = this.tables.refs.format(message.ord);
    this.statements.deleteApprovals.run(session.id, ref);
    this.statements.deletePlaces.run(channel, ref);
    this.statements.deleteParts.run(channel, ref);
    return true;
  }

  private eraseMessage(ord: number, { channel, sender, content, attachments = [] }: MessageInPayload, erased: Counts) {
    if (content !== '' || attachments.length > 0) erased.messages++;
    for (const { media_id: mediaId } of attachments)
      if (mediaId !== undefined) erased.media += Number(this.statements.releaseMedia.run(mediaId).changes);
    this.statements.emptyMessage.run(JSON.stringify({ channel, sender, content: '' }), ord);
    this.statements.deleteJournal.run(ord);
  }

  private eraseReply(session: number, { ord, receivedAt }: VisitedMessage, erased: Counts): void {
    const { statements, tables } = this;
    const row = statements.reply.get(ord);
    if (!row) return;
    const { blocks, error: _, ...kept } = JSON.parse(row.reply) as Reply;
    if (blocks.length > 0) erased.replies++;
    statements.emptyReply.run(JSON.stringify({ ...kept, blocks: [] }), ord);
    const [after, upTo] = tables.log.findRange(session, receivedAt, kept.endedAt);
    erased.frames += Number(statements.emptyFrames.run(session, after, upTo, ord).changes);
    // The turn that it has joined has its text in the journal.
    const joined = kept.mergedInto === undefined ? undefined : tables.refs.parse(kept.mergedInto);
    if (joined !== undefined && !tables.open.lanes.find(joined)) statements.deleteJournal.run(joined);
  }

  /** Erases what a direct chat has besides its messages, and that the person takes part in the session. */
  private leave({ session, id, mode }: VisitedSession, sender: string, erased: Counts): void {
    if (mode === 'main') {
      erased.memories += Number(this.statements.deleteMemories.run(id).changes);
      erased.media += Number(this.statements.releaseAllMedia.run(id).changes);
    }
    this.statements.deleteParticipant.run(session, sender);
  }
}

function prepareAll(database: DatabaseSync) {
  return {
    nextSession: prepare<VisitedSession>(
      database,
      `SELECT sessions.session, id, mode FROM participants CROSS JOIN sessions ON sessions.session = participants.session
       WHERE sender = ? AND participants.session >= ? AND tenant = ? AND channel = ? ORDER BY participants.session LIMIT 1`,
    ),
    nextMessages: prepare<VisitedMessage>(
      database,
      `SELECT ord, payload, received_at AS receivedAt FROM messages WHERE session = ? AND ord > ? ORDER BY ord LIMIT ?`,
    ),
    emptyMessage: prepare(database, 'UPDATE messages SET payload = ? WHERE ord = ?'),
    reply: prepare<{ reply: string }>(database, 'SELECT reply FROM replies WHERE ord = ?'),
    emptyReply: prepare(database, 'UPDATE replies SET reply = ? WHERE ord = ?'),
    emptyFrames: prepare(
      database,
      `UPDATE frames SET payload = '{}' WHERE session = ? AND seq > ? AND seq <= ? AND ord = ? AND payload <> '{}'`,
    ),
    deleteJournal: prepare(database, 'DELETE FROM journal WHERE ord = ?'),
    deleteReactions: prepare(database, 'DELETE FROM reactions WHERE ord = ? AND sender = ?'),
    deleteApprovals: prepare(database, 'DELETE FROM approvals WHERE session_id = ? AND message_ref = ?'),
    deletePlaces: prepare(database, 'DELETE FROM places WHERE channel = ? AND message_ref = ?'),
    deleteParts: prepare(database, 'DELETE FROM outbox WHERE channel = ? AND reply_to = ?'),
    deleteParticipant: prepare(database, 'DELETE FROM participants WHERE session = ? AND sender = ?'),
    deleteMemories: prepare(database, 'DELETE FROM memories WHERE collection = ?'),
    // A file of no session is deleted with the next sweep.
    releaseMedia: prepare(
      database,
      'UPDATE media SET session_id = NULL, created_at = 0 WHERE media_id = ? AND created_at > 0',
    ),
    releaseAllMedia: prepare(database, 'UPDATE media SET session_id = NULL, created_at = 0 WHERE session_id = ?'),
  };
}
