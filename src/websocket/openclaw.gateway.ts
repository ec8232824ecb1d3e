import { SubscribeMessage, WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import { GatewayError, type CancelPayload, type InboundEnvelope, type MessageInPayload } from '../protocol/index.js';
import { encodeFrame } from '../protocol/encode.js';
import { ConversationWriterService } from '../core/connections/conversation-writer.service.js';
import { MessageIntakeService, type CancelTarget } from '../core/intake/message-intake.service.js';
import { ConnectedFrameService } from './connected-frame.service.js';
import type { WebSocketConnection } from './websocket-connection.js';

/**
 * Handles messages, cancels and pings. Replies reach the client through delivery. Handlers resolve when the place of a
 * message in the queue is certain, before its commit.
 */
@WebSocketGateway(18789)
export class OpenClawGateway implements OnGatewayConnection<WebSocketConnection> {
  constructor(
    private readonly writer: ConversationWriterService,
    private readonly intake: MessageIntakeService,
    private readonly connectedFrame: ConnectedFrameService,
  ) {}

  async handleConnection(connection: WebSocketConnection): Promise<void> {
    connection.sendFrame(await this.connectedFrame.build(connection));
  }

  @SubscribeMessage('message_in')
  handleMessage(connection: WebSocketConnection, envelope: InboundEnvelope): void | Promise<void> {
    const payload = envelope.payload as MessageInPayload;
    return this.writer.submit(connection, { id: envelope.id, sessionId: envelope.session_id, payload });
  }

  /** Cancels a message, or with `session_id` alone all messages of the session. */
  @SubscribeMessage('cancel')
  async cancel(connection: WebSocketConnection, envelope: InboundEnvelope): Promise<void> {
    await this.intake.cancel(connection, readCancelTarget(envelope));
  }

  @SubscribeMessage('ping')
  ping(connection: WebSocketConnection, envelope: InboundEnvelope): void {
    connection.sendFrame(encodeFrame('pong', {}, { correlationId: envelope.id }));
  }
}

function readCancelTarget({ payload, session_id: sessionId }: InboundEnvelope): CancelTarget {
  const { message_ref: messageRef, message_id: messageId } = payload as CancelPayload;
  if (messageRef !== undefined && messageId !== undefined) throw ambiguousCancel();
  if (messageId !== undefined) return { by: 'id', messageId };
  if (messageRef !== undefined) return { by: 'ref', messageRef };
  if (sessionId !== undefined) return { by: 'session', sessionId };
  throw ambiguousCancel();
}

function ambiguousCancel(): GatewayError {
  const message = 'must name one of message_ref and message_id, or neither with a session_id in the envelope';
  return new GatewayError('INVALID_PAYLOAD', { faults: [{ pointer: '', message }] });
}
