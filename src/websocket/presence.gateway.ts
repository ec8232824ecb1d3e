import { SubscribeMessage, WebSocketGateway, type OnGatewayDisconnect } from '@nestjs/websockets';
import {
  GatewayError,
  type ChannelStatusPayload,
  type InboundEnvelope,
  type PresencePayload,
  type ReactionPayload,
} from '../protocol/index.js';
import { encodeFrame } from '../protocol/encode.js';
import { ChannelStatusService } from '../core/channels/channel-status.service.js';
import { ConnectionManagerService } from '../core/connections/connection-manager.service.js';
import type { Connection } from '../core/connections/connection.js';
import { clientKey } from '../core/identity/principal.js';
import { StartStep, type Undo } from '../core/lifecycle/steps.js';
import { PresenceTrackerService, type PresenceState } from '../core/presence/presence-tracker.service.js';
import { MessageQueueService } from '../core/queue/message-queue.service.js';
import { checkVoice } from '../core/sessions/access.js';
import { SessionRouterService } from '../core/sessions/session-router.service.js';
import { SessionStore, type StoredMessage } from '../core/store/index.js';

/** Frames that tell of people and channels rather than say something. They are answered only when they are refused. */
@WebSocketGateway(18789)
export class PresenceGateway implements OnGatewayDisconnect<Connection> {
  // oxlint-disable-next-line max-params -- three small concerns share one class, as they share their place in the protocol
  constructor(
    private readonly presence: PresenceTrackerService,
    private readonly channels: ChannelStatusService,
    private readonly connections: ConnectionManagerService,
    private readonly queue: MessageQueueService,
    private readonly router: SessionRouterService,
    private readonly sessions: SessionStore,
  ) {}

  @StartStep({ name: 'send presence to operators', phase: 'register', undoneIn: 'refuse' })
  start(): Undo {
    return this.presence.onChange((state) => this.tellOperators(state));
  }

  handleDisconnect(connection: Connection): void {
    this.channels.remove(connection);
  }

  @SubscribeMessage('presence')
  updatePresence({ principal }: Connection, { payload }: InboundEnvelope): void {
    const { channel, user_id: userId, status } = payload as PresencePayload;
    checkVoice(principal, channel, userId);
    this.presence.update(principal.tenant, channel, userId, status);
  }

  /** Kept with the message, as part of what the agent knows of the conversation. */
  @SubscribeMessage('reaction')
  async react(connection: Connection, { payload }: InboundEnvelope): Promise<void> {
    const { principal } = connection;
    const { channel, sender, message_id: messageId, emoji, action } = payload as ReactionPayload;
    checkVoice(principal, channel, sender);
    this.presence.noteActivity(principal.tenant, channel, sender);
    const message = await this.findMessage(connection, messageId);
    if (!message) throw new GatewayError('NOT_FOUND', { what: `message ${messageId}` });
    await this.router.getReadable(principal, message.sessionId);
    await this.sessions.changeReaction(message.messageRef, { sender, emoji }, action);
  }

  @SubscribeMessage('channel_status')
  updateChannel(connection: Connection, { payload }: InboundEnvelope): void {
    const status = payload as ChannelStatusPayload;
    checkVoice(connection.principal, status.channel, '');
    this.channels.update(connection, status);
  }

  /** A client names its own messages by its ids, and others' by their message_ref. */
  private async findMessage(
    { principal, clientId }: Connection,
    messageId: string,
  ): Promise<StoredMessage | undefined> {
    const own = await this.queue.findMessage({ by: 'id', client: clientKey(principal, clientId), messageId });
    return own ?? this.queue.findMessage({ by: 'ref', tenant: principal.tenant, messageRef: messageId });
  }

  private tellOperators({ tenant, channel, userId, status, lastSeen }: PresenceState): void {
    let frame: string | undefined;
    for (const connection of this.connections.list()) {
      const { principal, wantsPresence } = connection;
      if (!wantsPresence || principal.role !== 'operator' || principal.tenant !== tenant) continue;
      frame ??= encodeFrame('presence', { channel, user_id: userId, status, last_seen: lastSeen });
      connection.send(frame);
    }
  }
}
