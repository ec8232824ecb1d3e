import {
  SubscribeMessage,
  WebSocketGateway,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
} from '@nestjs/websockets';
import { GatewayError, type CancelPayload, type InboundEnvelope, type MessageInPayload } from '../protocol/index.js';
import { encodeAck, encodeFrame } from '../protocol/encode.js';
import type { Connection } from '../core/connections/connection.js';
import { DeliveryService } from '../core/delivery/delivery.service.js';
import { failpoint } from '../core/failpoints/failpoint.js';
import { clientKey } from '../core/identity/principal.js';
import { PhaseService } from '../core/phase/phase.service.js';
import { RateLimitsService } from '../core/limits/rate-limits.service.js';
import { PresenceTrackerService } from '../core/presence/presence-tracker.service.js';
import { MediaService } from '../core/media/media.service.js';
import { hashBody } from '../core/queue/body-hash.js';
import { MessageQueueService } from '../core/queue/message-queue.service.js';
import { SessionRouterService, type Route } from '../core/sessions/session-router.service.js';
import type { AcceptedMessage, CancelSelector } from '../core/store/index.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { Clock } from '../core/time/clock.js';
import { ConnectedFrameService } from './connected-frame.service.js';
import { ErrorFrames } from './error-frames.js';

/**
 * The chapter's wire: messages in, acknowledgements out. The replies come up another way, from the turn runner through
 * delivery. Handlers resolve when their place in the order is taken, not when their commit is done.
 */
@WebSocketGateway(18789)
export class OpenClawGateway implements OnGatewayConnection<Connection>, OnGatewayDisconnect<Connection> {
  private readonly log: Log;

  constructor(
    private readonly router: SessionRouterService,
    private readonly queue: MessageQueueService,
    private readonly delivery: DeliveryService,
    private readonly media: MediaService,
    private readonly limits: RateLimitsService,
    private readonly lifecycle: PhaseService,
    private readonly connectedFrame: ConnectedFrameService,
    private readonly errorFrames: ErrorFrames,
    private readonly presence: PresenceTrackerService,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
  }

  async handleConnection(connection: Connection): Promise<void> {
    connection.send(await this.connectedFrame.build(connection));
  }

  handleDisconnect(connection: Connection): void {
    this.delivery.removeReader(connection);
  }

  @SubscribeMessage('message_in')
  handleMessage(connection: Connection, envelope: InboundEnvelope): void | Promise<void> {
    if (this.lifecycle.isDraining) throw new GatewayError('DRAINING', {});
    const payload = envelope.payload as MessageInPayload;
    this.limits.takeMessage(connection.principal, connection.clientId, payload.sender);
    const route = this.router.route(connection.principal, payload, envelope.session_id);
    const hasMedia = payload.attachments?.some((attachment) => attachment.media_id !== undefined);
    if (hasMedia || route instanceof Promise) return this.enqueueLater(connection, envelope, route);
    this.enqueue(connection, envelope, route);
  }

  /** A message, or with `session_id` alone all of the session's. */
  @SubscribeMessage('cancel')
  async cancel(connection: Connection, envelope: InboundEnvelope): Promise<void> {
    const selector = await this.buildSelector(connection, envelope);
    const outcome = await this.queue.cancel(selector);
    if (!outcome) throw new GatewayError('NOT_FOUND', { what: 'message' });
  }

  @SubscribeMessage('ping')
  ping(connection: Connection, envelope: InboundEnvelope): void {
    connection.send(encodeFrame('pong', {}, { correlationId: envelope.id }));
  }

  /** For messages about which the store has to be asked first. */
  private async enqueueLater(
    connection: Connection,
    envelope: InboundEnvelope,
    pending: Route | Promise<Route>,
  ): Promise<void> {
    const route = await pending;
    await this.media.assign(connection.principal, route.payload.attachments ?? [], route.session.id);
    this.enqueue(connection, envelope, route);
  }

  private enqueue(connection: Connection, envelope: InboundEnvelope, route: Route): void {
    this.presence.noteActivity(connection.principal.tenant, route.payload.channel, route.payload.sender);
    const accepted = this.queue.enqueue({
      client: clientKey(connection.principal, connection.clientId),
      messageId: envelope.id,
      bodyHash: hashBody(envelope.type, envelope.session_id, envelope.payload),
      session: route.session,
      payload: route.payload,
      disposition: route.disposition,
      priority: route.priority,
      receivedAt: this.clock.now(),
    });
    accepted.then(
      (message) => this.acknowledge(connection, envelope, message),
      (error: unknown) => connection.send(this.errorFrames.encode(error, envelope)),
    );
  }

  private acknowledge(connection: Connection, envelope: InboundEnvelope, message: AcceptedMessage): void {
    const { messageRef, sessionId, mode, priority, position } = message;
    const status = message.kind === 'duplicate' ? 'duplicate' : message.status === 'observed' ? 'observed' : 'queued';
    connection.send(
      encodeAck(
        { id: envelope.id, message_ref: messageRef, status, mode, priority, position },
        sessionId,
        this.clock.now(),
      ),
    );
    failpoint('ack.sent');
    this.delivery.subscribe(connection, sessionId, message.headSeq);
    if (this.log.isEnabled('debug')) {
      this.log.debug(
        { message_ref: messageRef, message_id: envelope.id, session_id: sessionId, status, priority },
        'acknowledged',
      );
    }
  }

  private async buildSelector(connection: Connection, envelope: InboundEnvelope): Promise<CancelSelector> {
    const { principal } = connection;
    const { message_ref: messageRef, message_id: messageId } = envelope.payload as CancelPayload;
    if (messageRef !== undefined && messageId !== undefined) throw ambiguousCancel();
    if (messageId !== undefined) return { by: 'id', client: clientKey(principal, connection.clientId), messageId };
    const sessionId =
      messageRef === undefined
        ? envelope.session_id
        : (await this.queue.findMessage({ by: 'ref', tenant: principal.tenant, messageRef }))?.sessionId;
    if (sessionId === undefined)
      throw messageRef === undefined ? ambiguousCancel() : new GatewayError('NOT_FOUND', { what: 'message' });
    await this.router.getReadable(principal, sessionId);
    if (messageRef !== undefined) return { by: 'ref', tenant: principal.tenant, messageRef };
    return { by: 'session', tenant: principal.tenant, sessionId };
  }
}

function ambiguousCancel(): GatewayError {
  const message = 'must name one of message_ref and message_id, or neither with a session_id in the envelope';
  return new GatewayError('INVALID_PAYLOAD', { faults: [{ pointer: '', message }] });
}
