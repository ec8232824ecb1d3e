import { Injectable } from '@nestjs/common';
import { MemoryConnectionsService } from '../connections/memory-connections.service.js';
import { DEFAULT_TENANT, ROLE_SCOPES, type Principal } from '../identity/principal.js';
import { MediaService } from '../media/media.service.js';
import { isFiring } from '../sessions/firing.js';
import { SessionStore } from '../store/index.js';
import { ChannelGateway, type GatewayLine, type LineClient } from './channel-gateway.js';
import { ChannelFiles } from './channel-files.js';
import type { Target } from './driver.js';

/** The gateway of this process. */
@Injectable()
export class CoreChannelGateway extends ChannelGateway {
  constructor(
    private readonly connections: MemoryConnectionsService,
    private readonly media: MediaService,
    private readonly sessions: SessionStore,
  ) {
    super();
  }

  override async connect({ name, account, channel, ...client }: LineClient): Promise<GatewayLine> {
    const principal: Principal = {
      tenant: DEFAULT_TENANT,
      principal: `channel:${name}`,
      role: 'channel',
      scopes: new Set(ROLE_SCOPES.channel),
      channels: [channel],
      sender: undefined,
    };
    return {
      connection: this.connections.open({
        principal,
        clientId: account,
        wantsDeltas: true,
        take: (event) => client.take(event),
        onClose: (reason) => client.onClose(reason),
      }),
      files: new ChannelFiles(this.media, principal),
      findTarget: (sessionId) => this.findTarget(sessionId),
    };
  }

  private async findTarget(sessionId: string): Promise<Target | undefined> {
    const session = await this.sessions.findSession(sessionId);
    const [first, threadId] = session?.keyParts ?? [];
    if (session?.mode === 'queue') return this.findTargetOfRun(sessionId);
    if (first === undefined) return undefined;
    return session?.mode === 'group' ? { groupId: first, threadId } : { sender: first };
  }

  /**
   * A queue has a name of the gateway, which says nothing to a platform. Only the session of an isolated run of a job has a
   * chat: its message names it.
   */
  private async findTargetOfRun(sessionId: string): Promise<Target | undefined> {
    const { messages } = await this.sessions.readHistory(sessionId, 1);
    const [message] = messages;
    if (!message || !isFiring(message)) return undefined;
    const { sender, group_id: groupId, thread_id: threadId } = message.payload;
    return groupId === undefined ? { sender } : { groupId, threadId };
  }
}
