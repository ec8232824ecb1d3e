import { SubscribeMessage, WebSocketGateway, type OnGatewayDisconnect } from '@nestjs/websockets';
import type { ChannelStatusPayload, InboundEnvelope, PresencePayload, ReactionPayload } from '../protocol/index.js';
import { ChannelStatusService } from '../core/channels/channel-status.service.js';
import type { Connection } from '../core/connections/connection.js';
import { PresenceTrackerService } from '../core/presence/presence-tracker.service.js';
import { checkVoice } from '../core/sessions/access.js';

/** Frames that tell of people and channels rather than say something. They are answered only when they are refused. */
@WebSocketGateway(18789)
export class PresenceGateway implements OnGatewayDisconnect<Connection> {
  constructor(
    private readonly presence: PresenceTrackerService,
    private readonly channels: ChannelStatusService,
  ) {}

  handleDisconnect(connection: Connection): void {
    this.channels.remove(connection);
  }

  @SubscribeMessage('presence')
  updatePresence({ principal }: Connection, { payload }: InboundEnvelope): void {
    const { channel, user_id: userId, status } = payload as PresencePayload;
    checkVoice(principal, channel, userId);
    this.presence.update(principal.tenant, channel, userId, status);
  }

  @SubscribeMessage('reaction')
  react({ principal }: Connection, { payload }: InboundEnvelope): void {
    const { channel, sender } = payload as ReactionPayload;
    checkVoice(principal, channel, sender);
    // A reaction is a sign of life of the one who reacts.
    this.presence.update(principal.tenant, channel, sender, 'online');
  }

  @SubscribeMessage('channel_status')
  updateChannel(connection: Connection, { payload }: InboundEnvelope): void {
    const status = payload as ChannelStatusPayload;
    checkVoice(connection.principal, status.channel, '');
    this.channels.update(connection, status);
  }
}
