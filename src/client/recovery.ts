import { GatewayError } from '../protocol/errors.js';
import type { HistoryPayload, HistoryResultPayload } from '../protocol/index.js';
import type { Replies } from './replies.js';
import type { ReplyFeed } from './reply-feed.js';
import type { Requests } from './requests.js';

const PAGE: HistoryPayload = { limit: 200 };
/** A message that is not among the newest 10,000 of its session is given up. */
const MAX_PAGES = 50;

/** The part of {@link Sessions} that recovery uses. */
export interface RecoveredSessions {
  /** Makes the session take no frames until {@link moveTo} has set the position to continue from. */
  forget(sessionId: string): void;
  moveTo(sessionId: string, seq: number): void;
}

/**
 * Reads from a session's history what its log no longer provides: because frames are past retention, because the log
 * was replaced, or because the position of a repeated message's reply is unknown. Then resumes live.
 */
export class Recovery {
  /** Sessions being recovered, and whether to repeat: another recovery was requested after the history was read. */
  readonly #running = new Map<string, { again: boolean }>();

  constructor(
    private readonly sessions: RecoveredSessions,
    private readonly replies: Replies,
    private readonly requests: Requests,
  ) {}

  /** Never rejects; replies that cannot be recovered fail instead. */
  async recover(sessionId: string): Promise<void> {
    const running = this.#running.get(sessionId);
    if (running) return void (running.again = true);
    const state = { again: true };
    this.#running.set(sessionId, state);
    this.sessions.forget(sessionId);
    this.replies.interrupt(sessionId);
    try {
      while (state.again) {
        state.again = false;
        await this.#settle(sessionId);
      }
    } catch (error) {
      this.replies.fail(sessionId, error as Error);
    } finally {
      this.#running.delete(sessionId);
    }
  }

  async #settle(sessionId: string): Promise<void> {
    const unsettled = new Set(this.replies.inSession(sessionId));
    const newest = await this.requests.history(sessionId, PAGE);
    for (let page = newest, pages = 1; ; pages++) {
      settleFrom(page, unsettled);
      if (unsettled.size === 0 || page.next_before === undefined || pages === MAX_PAGES) break;
      page = await this.requests.history(sessionId, { ...PAGE, before: page.next_before });
    }
    for (const feed of unsettled)
      feed.fail(new GatewayError('NOT_FOUND', { what: 'the message, in the history of its session' }));
    this.sessions.moveTo(sessionId, newest.head_seq);
  }
}

function settleFrom({ messages, head_seq }: HistoryResultPayload, unsettled: Set<ReplyFeed>): void {
  const byRef = new Map(messages.map((message) => [message.message_ref, message]));
  for (const feed of unsettled) {
    const message = byRef.get(feed.acknowledgement?.message_ref ?? '');
    if (!message) continue;
    feed.settle(message, head_seq);
    unsettled.delete(feed);
  }
}
