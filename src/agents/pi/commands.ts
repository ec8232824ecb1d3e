import type { AgentTurn } from '../../core/turns/agent-runtime.js';
import type { ModelChoice } from './model-choice.js';
import { describeStatus, listTools } from '../command-texts.js';

const HELP = `/help      this text
/status    the session, the agent and the model
/agents    the agents of this gateway
/tools     the tools that this session may use
/model     the model of this session; /model provider/model and /model default change it
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
      return describeStatus(turn, describeModels());
    case 'tools':
      return listTools(turn.listTools());
    default:
      return undefined;
  }
}

/** Runs `/model` and returns its reply. Idempotent. @throws GatewayError AGENT_FAILED, STORE_UNAVAILABLE */
export async function runModelCommand(turn: AgentTurn, models: ModelChoice): Promise<string> {
  const { agent, session, message } = turn;
  const wanted = turn.command?.argument ?? '';
  if (wanted === '') return describeModel(turn, models);
  if (!message.payload.sender_is_admin) return 'Only an operator or an admin of this channel may change the model.';
  const model = wanted.toLowerCase() === 'default' ? undefined : wanted;
  const outcome = await models.choose(agent, session, model, message.client.principal);
  if (!outcome.ok) return `Model unchanged: ${outcome.reason}.\n${describeModel(turn, models)}`;
  if (model !== undefined) return `Model: ${model}, for this session.`;
  return `Model: ${models.list(agent, { ...session, model: undefined })[0]}, the default.`;
}

function describeModel({ agent, session }: AgentTurn, models: ModelChoice): string {
  const [model] = models.list(agent, session);
  const source = model === session.model ? 'set for this session' : 'the default';
  return `Model: ${model}, ${source}.\nAllowed: ${models.listAllowed(agent).join(', ')}.`;
}
