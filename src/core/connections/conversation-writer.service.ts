import { Injectable } from '@nestjs/common';
import { DeliveryService } from '../delivery/delivery.service.js';
import { failpoint } from '../failpoints/failpoint.js';
import { MessageIntakeService, type IncomingMessage } from '../intake/message-intake.service.js';
import type { AcceptedMessage } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Metrics, type Histogram } from '../telemetry/metrics.js';
import { Clock } from '../time/clock.js';
import type { Connection } from './connection.js';
import { RefusalsService } from './refusals.service.js';

/** The responses that a connection waits for. */
interface DueResponses {
  count: number;
  /** Resolves when all of them are sent; undefined while nothing waits for that. */
  whenNone: PromiseWithResolvers<void> | undefined;
}

/** Submits the messages of clients, acknowledges them, and subscribes the connection to their session. */
@Injectable()
export class ConversationWriterService {
  private readonly log: Log;
  private readonly ackSeconds: Histogram;
  private readonly due = new WeakMap<Connection, DueResponses>();

  constructor(
    private readonly intake: MessageIntakeService,
    private readonly delivery: DeliveryService,
    private readonly refusals: RefusalsService,
    private readonly clock: Clock,
    metrics: Metrics,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
    this.ackSeconds = metrics
      .histogram({
        name: 'openclaw_ack_seconds',
        help: 'Time from reading a message of a connection to its acknowledgement.',
        buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      })
      .with({});
  }

  /**
   * Submits a message of this connection. When the message is durable, the connection gets `accepted` and then the frames
   * of the session. If the queue refuses the message, the connection gets `refused`. Responses keep the order of the
   * messages. Returns a promise only if {@link MessageIntakeService.submitThen} does or throws; the next request of the
   * connection must wait for it.
   * @throws GatewayError (as a rejection) as {@link MessageIntakeService.submitThen} and {@link DeliveryService.checkRoom} do
   */
  submit(connection: Connection, message: IncomingMessage): void | Promise<void> {
    const due = this.dueOf(connection);
    due.count++;
    const bytes = connection.beginRequest();
    const startedAt = this.clock.elapsed();
    const fail = (error: unknown) => {
      connection.endRequest(bytes);
      return refuseInOrder(due, error);
    };
    try {
      this.delivery.checkRoom(connection);
      const pending = this.intake.submitThen(connection, message, (outcome) => {
        connection.endRequest(bytes);
        // A refusal that waits for this response follows it.
        if (--due.count === 0) due.whenNone?.resolve();
        if (outcome instanceof Error) this.refusals.refuse(connection, outcome, message);
        else this.acknowledge(connection, message.id, outcome, startedAt);
      });
      return pending?.catch(fail);
    } catch (error) {
      return fail(error);
    }
  }

  private dueOf(connection: Connection): DueResponses {
    let due = this.due.get(connection);
    if (!due) this.due.set(connection, (due = { count: 0, whenNone: undefined }));
    return due;
  }

  private acknowledge(connection: Connection, requestId: string, message: AcceptedMessage, startedAt: number): void {
    const { messageRef, sessionId, priority, headSeq } = message;
    const status = message.kind === 'duplicate' ? 'duplicate' : message.status === 'observed' ? 'observed' : 'queued';
    connection.send({ kind: 'accepted', requestId, status, message, timestamp: this.clock.now() });
    this.ackSeconds.observe((this.clock.elapsed() - startedAt) / 1_000);
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

/** Throws `error` after the responses to the earlier messages of the connection. */
async function refuseInOrder(due: DueResponses, error: unknown): Promise<never> {
  if (--due.count > 0) {
    due.whenNone = Promise.withResolvers();
    await due.whenNone.promise;
  }
  throw error;
}
