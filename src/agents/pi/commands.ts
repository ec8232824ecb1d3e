import { mayShowModel } from '../../core/agents/agent-definition.js';
import type { AgentTurn } from '../../core/turns/agent-runtime.js';
import type { ModelChoice } from './model-choice.js';
import { describeStatus, listTools } from '../command-texts.js';

/** Models that `/model` names as allowed. */
const MAX_NAMED = 100;

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
  const { session, message } = turn;
  const wanted = turn.command?.argument ?? '';
  if (wanted === '') return describeModel(turn, models);
  if (!message.payload.sender_is_admin) return 'Only an operator or an admin of this channel may change the model.';
  const model = wanted.toLowerCase() === 'default' ? undefined : wanted;
  const outcome = await models.choose(session, model, message.client.principal);
  if (!outcome.ok) return `Model unchanged: ${outcome.reason}.\n${describeModel(turn, models)}`;
  if (model !== undefined) return `Model: ${model}, for this session.`;
  return describeCurrent({ agent: turn.agent, session: { ...session, model: undefined } }, models);
}

function describeModel(turn: AgentTurn, models: ModelChoice): string {
  const allowed = models.listAllowed(turn.session.tenant);
  const more = allowed.length > MAX_NAMED ? ` and ${allowed.length - MAX_NAMED} more` : '';
  const names = allowed.length === 0 ? 'no other' : `${allowed.slice(0, MAX_NAMED).join(', ')}${more}`;
  return `${describeCurrent(turn, models)}\nAllowed: ${names}.`;
}

function describeCurrent({ agent, session }: Pick<AgentTurn, 'agent' | 'session'>, models: ModelChoice): string {
  const chosen = models.findChosen(session);
  if (chosen !== undefined) return `Model: ${chosen}, set for this session.`;
  if (!mayShowModel(agent, session)) return `Model: that of ${agent.name}, the default.`;
  return `Model: ${models.list(agent, session)[0]}, the default.`;
}
