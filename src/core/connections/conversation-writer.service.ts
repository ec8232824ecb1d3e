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
  /** The newest message of each connection whose commit was under way. */
  private readonly newest = new WeakMap<Connection, Promise<AcceptedMessage>>();

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
   * of the session. If the queue refuses the message, the connection gets `refused`. Responses keep the order of the
   * messages. Returns a promise only if {@link MessageIntakeService.submit} does or throws; the next request of the connection must wait for it.
   * @throws GatewayError (as a rejection) as {@link MessageIntakeService.submit} does
   */
  submit(connection: Connection, message: IncomingMessage): void | Promise<void> {
    let queued: QueuedMessage | Promise<QueuedMessage>;
    try {
      queued = this.intake.submit(connection, message);
    } catch (error) {
      return this.refuseInOrder(connection, error);
    }
    if (queued instanceof Promise) {
      return queued.then(
        (later) => this.follow(connection, message, later),
        (error: unknown) => this.refuseInOrder(connection, error),
      );
    }
    this.follow(connection, message, queued);
  }

  /** Throws `error` after the responses to the earlier messages of the connection. */
  private async refuseInOrder(connection: Connection, error: unknown): Promise<never> {
    // Their own refusals are sent by `follow`.
    await this.newest.get(connection)?.catch(() => {});
    throw error;
  }

  private follow(connection: Connection, { id, sessionId }: IncomingMessage, { accepted }: QueuedMessage): void {
    this.newest.set(connection, accepted);
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
