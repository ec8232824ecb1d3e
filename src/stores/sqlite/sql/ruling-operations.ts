import {
  mayRule,
  replyToRuling,
  type AcceptedMessage,
  type MessageRuling,
  type RulingOutcome,
} from '../../../core/store/index.js';
import type { MessageInPayload } from '../../../protocol/index.js';
import type { NewMessageRow } from '../thread/accept-packing.js';
import type { ApprovalOperations } from './approval-operations.js';
import type { SessionEntry } from '../state/directory.js';
import type { MessageTable } from './message-table.js';
import type { TableState } from '../state/table-state.js';

/** Messages that are decisions on tool calls. */
export class RulingOperations {
  constructor(
    private readonly tables: TableState,
    private readonly messages: MessageTable,
    private readonly approvals: ApprovalOperations,
  ) {}

  /** Carries out the decision that a message is, and ends the message. Returns what its acknowledgement has besides. */
  apply(
    now: number,
    ord: number,
    { session, mode }: SessionEntry,
    { messageId, sender, receivedAt, session: { id: sessionId, tenant } }: NewMessageRow,
    ruling: MessageRuling,
  ): Pick<AcceptedMessage, 'status' | 'reply'> {
    const messageRef = this.tables.refs.format(ord);
    const { approvalId, decision } = ruling;
    const found = this.approvals.find(tenant, approvalId);
    const approval = found?.sessionId === sessionId ? found : undefined;
    const isOwn = approval !== undefined && this.readSender(approval.messageRef) === sender;
    let outcome: RulingOutcome = approval ? 'forbidden' : 'unknown';
    let settled = approval;
    if (approval && mayRule(ruling, mode === 'main', isOwn)) {
      settled =
        now >= approval.expiresAt
          ? this.approvals.decide(now, approvalId, 'expired', 'gateway')
          : this.approvals.decide(now, approvalId, decision, ruling.actor, ruling);
      outcome = settled?.decision === decision ? 'done' : 'other';
    }
    const { frames, reply } = replyToRuling({ messageRef, messageId }, outcome, settled, receivedAt);
    const newest = this.tables.log.append(session, frames);
    this.messages.insertEnd(ord, { status: 'done', reply });
    const first = newest - frames.length + 1;
    return { status: 'queued', reply: frames.map((frame, n) => ({ ...frame, sessionId, seq: first + n })) };
  }

  private readSender(messageRef: string): string | undefined {
    const ord = this.tables.refs.parse(messageRef);
    const stored = ord === undefined ? undefined : this.messages.find(ord);
    return stored && (JSON.parse(stored.payload) as MessageInPayload).sender;
  }
}
