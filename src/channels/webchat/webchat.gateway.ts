import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import Type from 'typebox';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import type { Connection } from '../../core/connections/connection.js';
import { FrameTypeRegistry } from '../../core/connections/frame-type.registry.js';
import { checkChannel } from '../../core/sessions/access.js';
import { AgentRuntime } from '../../core/turns/agent-runtime.js';

/** The channel of everything that is said in the page. */
export const CHANNEL = 'webchat';

/** Who a page is here, and with whom it talks. */
export interface WebchatIdentity {
  /** The one sender that the page may speak as; missing: any. */
  readonly sender?: string;
  readonly agent_name: string;
  /** What answers: `builtin`, or a model's runtime. */
  readonly agent_runtime: string;
}

/** What a page asks that the protocol does not tell. */
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
