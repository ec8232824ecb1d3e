import { Injectable } from '@nestjs/common';
import { ApprovalsService } from '../approvals/approvals.service.js';
import { MessageIntakeService } from '../intake/message-intake.service.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import { ChannelStatusService } from './channel-status.service.js';
import { ConnectionManagerService } from './connection-manager.service.js';
import { ConversationReaderService } from './conversation-reader.service.js';
import { ConversationWriterService } from './conversation-writer.service.js';
import { MemoryConnection, type MemoryClient, type MemoryConnectionServices } from './memory-connection.js';
import { RefusalsService } from './refusals.service.js';

/** Opens connections inside the process, for drivers that run in the gateway. */
@Injectable()
export class MemoryConnectionsService implements MemoryConnectionServices {
  private readonly log: Log;

  // oxlint-disable-next-line max-params -- everything that a client can request, each from its own service
  constructor(
    readonly writer: ConversationWriterService,
    readonly reader: ConversationReaderService,
    readonly intake: MessageIntakeService,
    readonly refusals: RefusalsService,
    readonly approvals: ApprovalsService,
    readonly channels: ChannelStatusService,
    readonly clock: Clock,
    private readonly connections: ConnectionManagerService,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
  }

  /** Connects a client. An older connection of the same client is closed as `replaced`. */
  open(client: MemoryClient): MemoryConnection {
    const connection = new MemoryConnection(client, this);
    this.connections.register(connection);
    return connection;
  }

  forget(connection: MemoryConnection): void {
    this.connections.remove(connection);
  }

  noteFailure({ id, clientId }: MemoryConnection, error: unknown): void {
    this.log.error(
      { error, connection_id: id, client_id: clientId },
      'a client in this process failed; it is disconnected',
    );
  }
}
