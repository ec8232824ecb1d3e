import { Injectable } from '@nestjs/common';
import { AgentsService } from '../agents/agents.service.js';
import { endWith, listShortly } from '../agents/short-list.js';
import { SessionStore, type Session, type StoredMessage } from '../store/index.js';
import type { Command } from './activation.js';
import { QUESTION_CHANNEL } from './question-channel.js';
import { buildSessionSeed } from './session-key.js';

/**
 * The commands about the session that need no agent: `/reset`, `/activation` and `/agents` (protocol.md section 9). They
 * run as turns, so they keep their place among the messages.
 */
@Injectable()
export class SessionCommandsService {
  constructor(
    private readonly sessions: SessionStore,
    private readonly agents: AgentsService,
  ) {}

  /** Returns whether {@link run} runs this command. */
  has({ name }: Command): boolean {
    return name === 'reset' || name === 'activation' || name === 'agents';
  }

  /** Runs a session command and resolves with a text for the sender; undefined for another command. Idempotent. */
  async run(command: Command, message: StoredMessage, session: Session): Promise<string | undefined> {
    switch (command.name) {
      case 'reset':
        await this.reset(session);
        return 'New context: earlier messages stay in the history, but the agent starts again without them.';
      case 'activation':
        return this.setActivation(command, message, session);
      case 'agents':
        return this.listAgents(session);
      default:
        return undefined;
    }
  }

  /**
   * Starts a new context in a session, and in those in which its agent, or one that was asked, has asked others.
   * @param actor the principal of an administrative change, for the audit trail
   */
  async reset(session: Session, actor?: string): Promise<void> {
    await this.sessions.updateSession(session.id, { resetContext: true }, actor);
    for (const { id: agent } of this.agents.list().filter(({ tenant }) => tenant === session.tenant)) {
      const { id } = buildSessionSeed(session.tenant, { channel: QUESTION_CHANNEL, sender: session.id }, agent);
      const asked = await this.sessions.findSession(id);
      if (asked) await this.reset(asked, actor);
    }
  }

  /** Lists the agents of a tenant. An agent of the gateway that stands in is listed without its description. */
  private listAgents({ tenant, agent: own }: Session): string {
    const { lines, leftOut } = listShortly(this.agents.listOf(tenant), (agent) => {
      const description = agent.tenant === tenant ? agent.description : undefined;
      return `${agent.id === own ? '*' : '-'} ${agent.name} (${agent.id})${endWith(description)}`;
    });
    const more = `- and ${leftOut} more: \`openclaw agents list\` shows all, \`/status\` the one of this chat`;
    return [...lines, ...(leftOut > 0 ? [more] : [])].join('\n');
  }

  private async setActivation(command: Command, message: StoredMessage, session: Session): Promise<string> {
    if (session.mode !== 'group') return '`/activation` is for groups: here the agent answers every message.';
    if (!message.payload.sender_is_admin)
      return 'Only an operator or an admin of this group may change its activation.';
    const actor = message.client.principal;
    switch (command.argument.toLowerCase()) {
      case 'always':
        await this.sessions.updateSession(session.id, { explicitActivation: true }, actor);
        return 'Activation: always. The agent answers every message of this group.';
      case 'mention':
        await this.sessions.updateSession(session.id, { explicitActivation: false }, actor);
        return 'Activation: mention. The agent answers when it is mentioned or replied to.';
      default:
        return `Activation is ${session.explicitActivation ? 'always' : 'mention'}. Use \`/activation always\` or \`/activation mention\`.`;
    }
  }
}
