import { Injectable } from '@nestjs/common';
import {
  GatewayError,
  type HistoryMessage,
  type HistoryPayload,
  type HistoryResultPayload,
  type StreamBlock,
} from '../../protocol/index.js';
import { DeliveryService } from '../delivery/delivery.service.js';
import { clientKey } from '../identity/principal.js';
import { SessionRouterService } from '../sessions/session-router.service.js';
import { FrameStore, SessionStore, TurnStore, type MessageWithReply, type SessionCursor } from '../store/index.js';
import { listStandingBlocks } from '../turns/standing-blocks.js';
import type { Connection } from './connection.js';

/** What a client reads again: history, resumed logs, its delivery cursor. */
@Injectable()
export class ConversationReaderService {
  constructor(
    private readonly sessions: SessionStore,
    private readonly frames: FrameStore,
    private readonly turns: TurnStore,
    private readonly router: SessionRouterService,
    private readonly delivery: DeliveryService,
  ) {}

  /**
   * A page of a session's messages with their replies.
   * @throws GatewayError NOT_FOUND
   */
  async readHistory(
    connection: Connection,
    sessionId: string,
    { limit, before }: HistoryPayload,
  ): Promise<HistoryResultPayload> {
    await this.router.getReadable(connection.principal, sessionId);
    const page = await this.sessions.readHistory(sessionId, limit, before);
    const messages = await Promise.all(page.messages.map((message) => this.toHistoryMessage(message)));
    const oldest = page.messages[0];
    return { messages, head_seq: page.headSeq, ...(page.more && oldest ? { next_before: oldest.messageRef } : {}) };
  }

  /** The sessions that a bare `resume` goes on with: those of this client with something left to read. */
  async listResumable(connection: Connection): Promise<readonly SessionCursor[]> {
    return this.frames.listResumable(clientKey(connection.principal, connection.clientId));
  }

  /** Goes on sending a session after `afterSeq`. @throws GatewayError NOT_FOUND, STALE_RESUME */
  async resume(connection: Connection, sessionId: string, afterSeq: number, correlationId: string): Promise<void> {
    await this.router.getReadable(connection.principal, sessionId);
    await this.delivery.resume(connection, sessionId, afterSeq, correlationId);
  }

  /** Moves the delivery cursor of (client, session). @throws GatewayError NOT_FOUND, STALE_RESUME */
  async confirm(connection: Connection, sessionId: string, seq: number): Promise<void> {
    const session = await this.router.getReadable(connection.principal, sessionId);
    if (seq > session.headSeq) throw new GatewayError('STALE_RESUME', { after_seq: seq, head_seq: session.headSeq });
    await this.frames.moveCursor(clientKey(connection.principal, connection.clientId), sessionId, seq);
  }

  private async toHistoryMessage(message: MessageWithReply): Promise<HistoryMessage> {
    const { payload, reply, status } = message;
    return {
      message_ref: message.messageRef,
      message_id: message.messageId,
      sender: payload.sender,
      ...(payload.sender_name === undefined ? {} : { sender_name: payload.sender_name }),
      content: payload.content,
      attachments: payload.attachments ?? [],
      sent_at: message.receivedAt,
      status,
      blocks: [...(reply?.blocks ?? (await this.readBlocksSoFar(message)))],
      ...(reply
        ? {
            end: {
              reason: reply.reason,
              ended_at: reply.endedAt,
              ...(reply.usage ? { usage: reply.usage } : {}),
              ...(reply.error ? { error: reply.error } : {}),
            },
          }
        : {}),
    };
  }

  private async readBlocksSoFar({ status, messageRef }: MessageWithReply): Promise<StreamBlock[]> {
    // A message that waits again after an interruption has blocks too.
    if (status !== 'running' && status !== 'queued') return [];
    const { frames } = await this.turns.readTurn(messageRef);
    return listStandingBlocks(frames).map((standing) => standing.block);
  }
}
