import type { AgentTurn } from '../../core/turns/agent-runtime.js';
import { describeStatus, listTools } from '../command-texts.js';

const HELP = `/help      this text
/status    the session and the model
/tools     the tools that this session may use
/reset     starts a new context
/activation always|mention   when the agent answers in a group

Everything else goes to the model.`;

/**
 * Returns the reply to a command that needs no model; undefined for a message to the model.
 * @param describeModels returns the lines of `/status` about models
 */
export function answerCommand(turn: AgentTurn, describeModels: () => string): string | undefined {
  switch (turn.command?.name) {
    case 'help':
      return HELP;
    case 'status':
      return describeStatus(turn.session, describeModels());
    case 'tools':
      return listTools(turn.listTools());
    default:
      return undefined;
  }
}
