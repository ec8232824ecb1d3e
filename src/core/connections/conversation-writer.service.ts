import { Injectable } from '@nestjs/common';
import { DeliveryService } from '../delivery/delivery.service.js';
import { failpoint } from '../failpoints/failpoint.js';
import { MessageIntakeService, type IncomingMessage, type QueuedMessage } from '../intake/message-intake.service.js';
import type { AcceptedMessage } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import type { Connection } from './connection.js';
import { RefusalsService } from './refusals.service.js';

/** Submits the messages of clients, acknowledges them, and subscribes the connection to their session. */
@Injectable()
export class ConversationWriterService {
  private readonly log: Log;

  constructor(
    private readonly intake: MessageIntakeService,
    private readonly delivery: DeliveryService,
    private readonly refusals: RefusalsService,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
  }

  /**
   * Submits a message of this connection. When the message is durable, the connection gets `accepted` and then the frames
   * of the session. If the queue refuses the message, the connection gets `refused`. Returns a promise only if
   * {@link MessageIntakeService.submit} does; the next request of the connection must wait for it.
   * @throws GatewayError as {@link MessageIntakeService.submit} does
   */
  submit(connection: Connection, message: IncomingMessage): void | Promise<void> {
    const queued = this.intake.submit(connection, message);
    if (queued instanceof Promise) return queued.then((later) => this.follow(connection, message, later));
    this.follow(connection, message, queued);
  }

  private follow(connection: Connection, { id, sessionId }: IncomingMessage, { accepted }: QueuedMessage): void {
    accepted.then(
      (message) => this.acknowledge(connection, id, message),
      (error: unknown) => void this.refusals.refuse(connection, error, { id, sessionId }),
    );
  }

  private acknowledge(connection: Connection, requestId: string, message: AcceptedMessage): void {
    const { messageRef, sessionId, priority, headSeq } = message;
    const status = message.kind === 'duplicate' ? 'duplicate' : message.status === 'observed' ? 'observed' : 'queued';
    connection.send({ kind: 'accepted', requestId, status, message, timestamp: this.clock.now() });
    failpoint('ack.sent');
    this.delivery.subscribe(connection, sessionId, headSeq);
    if (this.log.isEnabled('debug')) {
      this.log.debug(
        { message_ref: messageRef, message_id: requestId, session_id: sessionId, status, priority },
        'acknowledged',
      );
    }
  }
}
