import { Injectable } from '@nestjs/common';
import { GatewayError, type StreamBlock } from '../../protocol/domain.js';
import { DeliveryService } from '../delivery/delivery.service.js';
import { Slots } from '../delivery/slots.js';
import { clientKey } from '../identity/principal.js';
import { listFollowed } from '../sessions/access.js';
import { SessionRouterService } from '../sessions/session-router.service.js';
import { FrameStore, SessionStore, TurnStore, type MessageWithReply, type ResumePosition } from '../store/index.js';
import { listStandingBlocks } from '../turns/standing-blocks.js';
import type { Connection } from './connection.js';
import type { HistoryEntry, HistoryPage } from './history-page.js';
import { RefusalsService } from './refusals.service.js';
import { countEach, Metrics, type Counter } from '../telemetry/metrics.js';

/** Number of messages of the history that are read at a time, so that long ones do not block other work. */
const PORTION = 10;

/** Number of pages of histories that are read at a time: a message with its reply may have more than a megabyte. */
export const MAX_HISTORY_READS = 4;

/** The messages of a page, and the agent of their session. */
interface HistoryRange {
  readonly sessionId: string;
  readonly agent: string;
  readonly limit: number;
  readonly before: string | undefined;
}

/** Serves a client's reads of conversations: history, resumed logs, its delivery cursor. */
@Injectable()
export class ConversationReaderService {
  private readonly historySlots = new Slots(MAX_HISTORY_READS);
  private readonly resumes: Readonly<Record<'complete' | 'partial' | 'refused', Counter>>;

  // oxlint-disable-next-line max-params -- what the reads of clients need, each from its own service
  constructor(
    private readonly sessions: SessionStore,
    private readonly frames: FrameStore,
    private readonly turns: TurnStore,
    private readonly router: SessionRouterService,
    private readonly delivery: DeliveryService,
    private readonly refusals: RefusalsService,
    metrics: Metrics,
  ) {
    this.resumes = countEach(metrics, {
      name: 'openclaw_resumes_total',
      help: 'Sessions that clients resumed: complete, partial (retention had deleted frames), or refused.',
      label: 'outcome',
      values: ['complete', 'partial', 'refused'],
    });
  }

  /**
   * Reads up to `limit` messages of a session with their replies: the newest, or those before the message `before`. They
   * are read in portions, newest first. Each is passed to `takes`, and the page ends before the first that it refuses.
   * @throws GatewayError NOT_FOUND
   */
  async readHistory(
    { principal }: Pick<Connection, 'principal'>,
    sessionId: string,
    limit: number,
    before?: string,
    takes: (entry: HistoryEntry) => boolean = () => true,
  ): Promise<HistoryPage> {
    const { agent } = await this.router.getVisible(principal, sessionId);
    return this.historySlots.run(() => this.readPage({ sessionId, agent, limit, before }, takes));
  }

  private async readPage(
    { sessionId, agent, limit, before }: HistoryRange,
    takes: (entry: HistoryEntry) => boolean,
  ): Promise<HistoryPage> {
    const newestFirst: HistoryEntry[] = [];
    let headSeq: number | undefined;
    let oldest = before;
    for (let more = true; more && newestFirst.length < limit;) {
      const page = await this.sessions.readHistory(sessionId, Math.min(PORTION, limit - newestFirst.length), oldest);
      headSeq ??= page.headSeq;
      more = page.more;
      for (const message of page.messages.toReversed()) {
        const entry = { message, agent, blocks: await this.readBlocks(message) };
        if (!takes(entry)) return { sessionId, entries: newestFirst.reverse(), headSeq, nextBefore: oldest };
        newestFirst.push(entry);
        oldest = message.messageRef;
      }
      if (!more) oldest = undefined;
    }
    return { sessionId, entries: newestFirst.reverse(), headSeq: headSeq ?? 0, nextBefore: oldest };
  }

  /**
   * Sends to the connection, for each session, the frames after a seq and then live ones. Without `sessions` it resumes
   * those sessions of the client that have unread frames, also those of channels that it follows. Each session that cannot be resumed is reported as `refused`
   * (NOT_FOUND, STALE_RESUME); the others continue.
   */
  async resume(connection: Connection, requestId: string, sessions?: readonly ResumePosition[]): Promise<void> {
    const client = clientKey(connection.principal, connection.clientId);
    const listUnread = () => this.frames.listResumable(client, listFollowed(connection.principal));
    const wanted: readonly ResumePosition[] = sessions?.length ? sessions : await listUnread();
    for (const position of wanted) {
      const { sessionId } = position;
      try {
        await this.router.getReadable(connection.principal, sessionId);
        const isComplete = await this.delivery.resume(connection, position, requestId);
        this.resumes[isComplete ? 'complete' : 'partial'].add();
      } catch (error) {
        this.resumes.refused.add();
        this.refusals.refuse(connection, error, { id: requestId, sessionId });
      }
    }
  }

  /**
   * Moves the delivery cursor of (client, session).
   * @throws GatewayError NOT_FOUND, STALE_RESUME
   */
  async confirm(connection: Connection, sessionId: string, seq: number): Promise<void> {
    const session = await this.router.getReadable(connection.principal, sessionId);
    if (seq > session.headSeq) throw new GatewayError('STALE_RESUME', { after_seq: seq, head_seq: session.headSeq });
    await this.frames.moveCursor(clientKey(connection.principal, connection.clientId), sessionId, seq);
  }

  private async readBlocks({ status, messageRef, reply }: MessageWithReply): Promise<readonly StreamBlock[]> {
    if (reply) return reply.blocks;
    // A message that was interrupted and is queued again has blocks too.
    if (status !== 'running' && status !== 'queued') return [];
    const { frames } = await this.turns.readTurn(messageRef);
    return listStandingBlocks(frames).map((standing) => standing.block);
  }
}
