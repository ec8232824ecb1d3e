import { Injectable } from '@nestjs/common';
import { SessionStore, type Session, type StoredMessage } from '../store/index.js';
import type { Command } from './activation.js';

/**
 * The commands that change the session: `/reset` and `/activation` (protocol.md section 9). They run as turns, so they
 * keep their place among the messages.
 */
@Injectable()
export class SessionCommandsService {
  constructor(private readonly sessions: SessionStore) {}

  /** Whether {@link run} runs this command. */
  has({ name }: Command): boolean {
    return name === 'reset' || name === 'activation';
  }

  /** Runs a session command and resolves with a text for the sender; undefined for another command. Idempotent. */
  async run(command: Command, message: StoredMessage, session: Session): Promise<string | undefined> {
    switch (command.name) {
      case 'reset':
        await this.sessions.updateSession(session.id, { resetContext: true });
        return 'New context: earlier messages stay in the history, but the agent starts again without them.';
      case 'activation':
        return this.setActivation(command, message, session);
      default:
        return undefined;
    }
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
