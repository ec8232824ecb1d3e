import Type from 'typebox';
import type { ToolDefinition } from '../core/tools/tool.js';
import { AgentRuntime, type AgentEvent, type AgentTurn } from '../core/turns/agent-runtime.js';

/** A runtime whose turns the test defines. */
class ScriptedRuntime extends AgentRuntime {
  override readonly name = 'scripted';

  constructor(private readonly script: (turn: AgentTurn) => AsyncIterable<AgentEvent>) {
    super();
  }

  override run(turn: AgentTurn): AsyncIterable<AgentEvent> {
    return this.script(turn);
  }
}
/** Options of a harness whose agent runs `script` for each turn. */
export const scripted = (script: (turn: AgentTurn) => AsyncIterable<AgentEvent>) => ({
  runtime: () => new ScriptedRuntime(script),
});

/** Creates a tool that returns its parameter `n`, with `changes`. */
export function aTool(changes: Partial<ToolDefinition>): ToolDefinition {
  return {
    name: 'test.tool',
    description: 'For tests.',
    parameters: Type.Object({ n: Type.Integer() }, { additionalProperties: false }),
    permissions: [],
    timeoutMs: 1_000,
    idempotent: false,
    requiresApproval: false,
    sandbox: false,
    handler: (parameters) => ({ ...(parameters as { n: number }) }),
    ...changes,
  };
}
