import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  GatewayError,
  type DeliveredPayload,
  type HistoryPayload,
  type InboundEnvelope,
  type ResumePayload,
} from '../protocol/index.js';
import { encodeFrame } from '../protocol/encode.js';
import type { Connection } from '../core/connections/connection.js';
import { ConversationReaderService } from '../core/connections/conversation-reader.service.js';
import { ErrorFrames } from './error-frames.js';

/** Frames by which a client reads again what it missed. */
@WebSocketGateway(18789)
export class ReadingGateway {
  constructor(
    private readonly reader: ConversationReaderService,
    private readonly errorFrames: ErrorFrames,
  ) {}

  @SubscribeMessage('resume')
  async resume(connection: Connection, envelope: InboundEnvelope): Promise<void> {
    const { sessions } = envelope.payload as ResumePayload;
    const wanted = sessions?.length
      ? sessions.map((session) => ({ sessionId: session.session_id, seq: session.after_seq }))
      : await this.reader.listResumable(connection);
    for (const { sessionId, seq } of wanted) {
      try {
        await this.reader.resume(connection, sessionId, seq, envelope.id);
      } catch (error) {
        // One session that cannot be resumed must not keep the others from it.
        connection.send(this.errorFrames.encode(error, { ...envelope, session_id: sessionId }));
      }
    }
  }

  @SubscribeMessage('delivered')
  async confirmDelivery(connection: Connection, envelope: InboundEnvelope): Promise<void> {
    const { session_id: sessionId, seq } = envelope.payload as DeliveredPayload;
    await this.reader.confirm(connection, sessionId, seq);
  }

  @SubscribeMessage('history')
  async readHistory(connection: Connection, envelope: InboundEnvelope): Promise<void> {
    const sessionId = envelope.session_id;
    if (sessionId === undefined)
      throw new GatewayError('INVALID_FRAME', { reason: '`history` needs a session_id in the envelope' });
    const history = await this.reader.readHistory(connection, sessionId, envelope.payload as HistoryPayload);
    connection.send(encodeFrame('history', history, { sessionId, correlationId: envelope.id }));
  }
}
