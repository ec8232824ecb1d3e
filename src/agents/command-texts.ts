import type { AgentTurn } from '../core/turns/agent-runtime.js';
import type { ToolDefinition } from '../core/tools/tool.js';

/** Returns the reply to `/status`. @param whatAnswers its last lines: the model */
export function describeStatus({ session, agent }: AgentTurn, whatAnswers: string): string {
  return [
    `session: ${session.id} (${session.mode}, channel ${session.channel})`,
    `participants: ${session.hasSeveralParticipants ? 'several' : 'one'}`,
    ...(session.mode === 'group' ? [`activation: ${session.explicitActivation ? 'always' : 'mention'}`] : []),
    `agent: ${agent.name} (${agent.id})`,
    whatAnswers,
  ].join('\n');
}

/** Returns the reply to `/tools`: one line each. */
export function listTools(tools: readonly ToolDefinition[]): string {
  if (tools.length === 0) return 'This session may use no tools.';
  return tools.map((tool) => `${tool.name}: ${tool.description}`).join('\n');
}
