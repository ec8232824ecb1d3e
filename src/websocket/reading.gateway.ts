import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  GatewayError,
  type DeliveredPayload,
  type HistoryPayload,
  type InboundEnvelope,
  type ResumePayload,
} from '../protocol/index.js';
import type { Connection } from '../core/connections/connection.js';
import { ConversationReaderService } from '../core/connections/conversation-reader.service.js';
import type { HistoryEntry } from '../core/connections/history-page.js';
import { HistoryFrame } from './event-frames.js';
import type { WebSocketConnection } from './websocket-connection.js';

/** Handles frames with which a client reads what it missed. */
@WebSocketGateway(18789)
export class ReadingGateway {
  constructor(private readonly reader: ConversationReaderService) {}

  @SubscribeMessage('resume')
  async resume(connection: Connection, { id, payload }: InboundEnvelope): Promise<void> {
    const { sessions } = payload as ResumePayload;
    const wanted = sessions?.map(({ session_id: sessionId, after_seq: seq, epoch }) => ({ sessionId, seq, epoch }));
    await this.reader.resume(connection, id, wanted);
  }

  @SubscribeMessage('delivered')
  async confirmDelivery(connection: Connection, { payload }: InboundEnvelope): Promise<void> {
    const { session_id: sessionId, seq } = payload as DeliveredPayload;
    await this.reader.confirm(connection, sessionId, seq);
  }

  @SubscribeMessage('history')
  async readHistory(connection: WebSocketConnection, { id, session_id, payload }: InboundEnvelope): Promise<void> {
    if (session_id === undefined)
      throw new GatewayError('INVALID_FRAME', { reason: '`history` needs a session_id in the envelope' });
    const { limit, before } = payload as HistoryPayload;
    const frame = new HistoryFrame();
    const takes = (entry: HistoryEntry) => frame.take(entry);
    const page = await this.reader.readHistory(connection, session_id, limit, before, takes);
    connection.sendFrame(frame.encode(page, id));
  }
}
