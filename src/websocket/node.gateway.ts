import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { Connection } from '../core/connections/connection.js';
import { NodeCallsService } from '../core/nodes/node-calls.service.js';
import { NodeEventsService } from '../core/nodes/node-events.service.js';
import { NodeRegistrationService } from '../core/nodes/node-registration.service.js';
import type { InboundEnvelope, NodeEventPayload, NodeRegisterPayload, ToolResultPayload } from '../protocol/index.js';

/** Handles the frames of device nodes. Handlers resolve when what they acknowledge is committed. */
@WebSocketGateway(18789)
export class NodeGateway {
  constructor(
    private readonly registration: NodeRegistrationService,
    private readonly calls: NodeCallsService,
    private readonly events: NodeEventsService,
  ) {}

  @SubscribeMessage('node_register')
  async register(connection: Connection, { id, payload }: InboundEnvelope): Promise<void> {
    await this.registration.register(connection, id, payload as NodeRegisterPayload);
  }

  @SubscribeMessage('tool_result')
  async takeResult(connection: Connection, { id, payload }: InboundEnvelope): Promise<void> {
    await this.calls.takeResult(connection, id, payload as ToolResultPayload);
  }

  @SubscribeMessage('node_event')
  async takeEvent(connection: Connection, { id, payload }: InboundEnvelope): Promise<void> {
    const event = payload as NodeEventPayload;
    if (event.call_id !== undefined) return this.calls.takeProgress(connection, event.call_id, event);
    await this.events.take(connection, id, event);
  }
}
