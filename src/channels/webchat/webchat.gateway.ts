import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import Type from 'typebox';
import { GatewayError, type InboundEnvelope } from '../../protocol/index.js';
import type { WebchatConversation, WebchatIdentity } from '../../protocol/webchat.js';
import { WEBCHAT } from '../../protocol/constants.js';
import { AgentsService } from '../../core/agents/agents.service.js';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import type { Connection } from '../../core/connections/connection.js';
import { decidesApprovals } from '../../core/identity/principal.js';
import { FrameTypeRegistry } from '../../core/connections/frame-type.registry.js';
import { checkChannel } from '../../core/sessions/access.js';
import { SessionStore } from '../../core/store/index.js';
import { SessionRouterService } from '../../core/sessions/session-router.service.js';
import { AgentRuntime } from '../../core/turns/agent-runtime.js';

/** Serves the frames that only the page sends. */
@WebSocketGateway(18789)
export class WebchatGateway {
  constructor(
    private readonly config: ConfigStoreService,
    private readonly agents: AgentsService,
    private readonly runtime: AgentRuntime,
    private readonly router: SessionRouterService,
    private readonly sessions: SessionStore,
    types: FrameTypeRegistry,
  ) {
    types.register('webchat.identify', { payload: Type.Object({}, { additionalProperties: false }) });
    types.register('webchat.find', {
      payload: Type.Object(
        { session_id: Type.String({ minLength: 1, maxLength: 128 }) },
        { additionalProperties: false },
      ),
      scope: 'sessions:read',
    });
  }

  /**
   * Returns the identity for a page. Its session is missing while the store is unavailable.
   * @throws GatewayError FORBIDDEN when the credential is for other channels
   */
  @SubscribeMessage('webchat.identify')
  async identify({ principal }: Connection): Promise<{ event: 'webchat.identity'; data: WebchatIdentity }> {
    checkChannel(principal, WEBCHAT);
    const { tenant, sender } = principal;
    const agent = this.agents.choose({ tenant, channel: WEBCHAT, sender, principal: principal.principal });
    const message = { channel: WEBCHAT, sender: sender ?? '' };
    const session =
      sender === undefined ? undefined : await this.router.findMain(tenant, message, agent).catch(() => {});
    const data = {
      tenant,
      principal: principal.principal,
      ...(sender === undefined ? {} : { sender }),
      ...(session && { session_id: session.id }),
      agent_name: agent.name,
      agent_runtime: this.runtime.runtimeOf(agent),
      starters: this.config.get('webchat.starters'),
      media_types: this.config.get('media.types'),
      decides_approvals: decidesApprovals(principal),
    };
    return { event: 'webchat.identity', data };
  }

  /**
   * Returns how a page continues the conversation of a link, which this browser need not know.
   * @throws GatewayError NOT_FOUND when it is none of the web chat, or this caller may not read it
   */
  @SubscribeMessage('webchat.find')
  async find(
    { principal }: Connection,
    { payload }: InboundEnvelope,
  ): Promise<{ event: 'webchat.conversation'; data: WebchatConversation }> {
    const { session_id: sessionId } = payload as { readonly session_id: string };
    const { channel, mode, keyParts } = await this.router.getReadable(principal, sessionId);
    const [sender] = keyParts;
    if (channel !== WEBCHAT || mode !== 'main' || sender === undefined)
      throw new GatewayError('NOT_FOUND', { what: `session ${sessionId}` });
    const founder = await this.sessions.findFounder(sessionId);
    return { event: 'webchat.conversation', data: { sender, ...(founder !== undefined && { principal: founder }) } };
  }
}
