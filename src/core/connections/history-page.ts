import type { StreamBlock } from '../../protocol/domain.js';
import type { MessageWithReply } from '../store/index.js';

/** A message of the history with the standing blocks of its reply, which may be incomplete. */
export interface HistoryEntry {
  readonly message: MessageWithReply;
  /** The ID of the agent of its session. */
  readonly agent: string;
  readonly blocks: readonly StreamBlock[];
}

/** A page of a session's history, oldest message first. */
export interface HistoryPage {
  readonly sessionId: string;
  readonly entries: readonly HistoryEntry[];
  readonly headSeq: number;
  /** The `before` of the previous page; undefined when this is the oldest. */
  readonly nextBefore: string | undefined;
}
