import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import Type from 'typebox';
import type { WebchatIdentity } from '../../protocol/webchat.js';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import type { Connection } from '../../core/connections/connection.js';
import { FrameTypeRegistry } from '../../core/connections/frame-type.registry.js';
import { checkChannel } from '../../core/sessions/access.js';
import { SessionStore } from '../../core/store/index.js';
import { AgentRuntime } from '../../core/turns/agent-runtime.js';

/** The channel of all messages written in the page. */
export const CHANNEL = 'webchat';

/** Serves the frames that only the page sends. */
@WebSocketGateway(18789)
export class WebchatGateway {
  constructor(
    private readonly config: ConfigStoreService,
    private readonly runtime: AgentRuntime,
    private readonly sessions: SessionStore,
    types: FrameTypeRegistry,
  ) {
    types.register('webchat.identify', { payload: Type.Object({}, { additionalProperties: false }) });
  }

  /** The session is optional: a page works without it while the store is unavailable. @throws GatewayError FORBIDDEN when the credential is for other channels */
  @SubscribeMessage('webchat.identify')
  async identify({ principal }: Connection): Promise<{ event: 'webchat.identity'; data: WebchatIdentity }> {
    checkChannel(principal, CHANNEL);
    const { tenant, sender } = principal;
    const session =
      sender === undefined ? undefined : await this.sessions.findLatestMain(tenant, [CHANNEL], sender).catch(() => {});
    const data = {
      ...(sender === undefined ? {} : { sender }),
      ...(session && { session_id: session.id }),
      agent_name: this.config.get('agent.name'),
      agent_runtime: this.runtime.name,
      starters: this.config.get('webchat.starters'),
      media_types: this.config.get('media.types'),
    };
    return { event: 'webchat.identity', data };
  }
}
