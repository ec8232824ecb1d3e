import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import Type from 'typebox';
import type { WebchatIdentity } from '../../protocol/webchat.js';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import type { Connection } from '../../core/connections/connection.js';
import { FrameTypeRegistry } from '../../core/connections/frame-type.registry.js';
import { checkChannel } from '../../core/sessions/access.js';
import { AgentRuntime } from '../../core/turns/agent-runtime.js';

/** The channel of all messages written in the page. */
export const CHANNEL = 'webchat';

/** Serves the frames that only the page sends. */
@WebSocketGateway(18789)
export class WebchatGateway {
  constructor(
    private readonly config: ConfigStoreService,
    private readonly runtime: AgentRuntime,
    types: FrameTypeRegistry,
  ) {
    types.register('webchat.identify', { payload: Type.Object({}, { additionalProperties: false }) });
  }

  /** @throws GatewayError FORBIDDEN when the credential is for other channels */
  @SubscribeMessage('webchat.identify')
  identify({ principal }: Connection): { event: 'webchat.identity'; data: WebchatIdentity } {
    checkChannel(principal, CHANNEL);
    const { sender } = principal;
    const data = {
      ...(sender === undefined ? {} : { sender }),
      agent_name: this.config.get('agent.name'),
      agent_runtime: this.runtime.name,
    };
    return { event: 'webchat.identity', data };
  }
}
