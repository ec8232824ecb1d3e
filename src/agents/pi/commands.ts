import type { Command } from '../../core/sessions/activation.js';
import type { AgentTurn } from '../../core/turns/agent-runtime.js';

const HELP = `/help      this text
/status    the session and what answers
/tools     the tools that this session may use
/reset     starts a new context
/activation always|mention   when the agent answers in a group

Everything else goes to the model.`;

/** What the gateway answers itself; undefined for what goes to the model. */
export function answerCommand(command: Command | undefined, turn: AgentTurn, model: string): string | undefined {
  const { session } = turn;
  switch (command?.name) {
    case 'help':
      return HELP;
    case 'status':
      return [
        `session: ${session.id} (${session.mode}, channel ${session.channel})`,
        `participants: ${session.participants.length}`,
        ...(session.mode === 'group' ? [`activation: ${session.explicitActivation ? 'always' : 'mention'}`] : []),
        `model: ${model}`,
      ].join('\n');
    case 'tools':
      return (
        turn
          .listTools()
          .map((tool) => `${tool.name}: ${tool.description}`)
          .join('\n') || 'This session may use no tools.'
      );
    default:
      return undefined;
  }
}
