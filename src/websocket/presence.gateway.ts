import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { ChannelStatusPayload, InboundEnvelope, PresencePayload, ReactionPayload } from '../protocol/index.js';
import { ChannelStatusService } from '../core/connections/channel-status.service.js';
import type { Connection } from '../core/connections/connection.js';
import { MessageIntakeService } from '../core/intake/message-intake.service.js';

/** Handles frames about people and channels. They get a response only when they are refused. */
@WebSocketGateway(18789)
export class PresenceGateway {
  constructor(
    private readonly intake: MessageIntakeService,
    private readonly channels: ChannelStatusService,
  ) {}

  @SubscribeMessage('presence')
  updatePresence(connection: Connection, { payload }: InboundEnvelope): void {
    const { channel, user_id: userId, status } = payload as PresencePayload;
    this.intake.notePresence(connection, channel, userId, status);
  }

  @SubscribeMessage('reaction')
  async react(connection: Connection, { payload }: InboundEnvelope): Promise<void> {
    const { message_id: messageId, ...reaction } = payload as ReactionPayload;
    await this.intake.react(connection, { ...reaction, messageId });
  }

  @SubscribeMessage('channel_status')
  updateChannel(connection: Connection, { payload }: InboundEnvelope): void {
    this.channels.update(connection, payload as ChannelStatusPayload);
  }
}
