import Type from 'typebox';
import { Tool, type ToolExecutor } from '../core/tools/tool.decorator.js';
import type { ToolCallContext } from '../core/tools/tool.js';
import { ToolRegistryService } from '../core/tools/tool-registry.service.js';

const Parameters = Type.Object({}, { additionalProperties: false });

/** The session that a call belongs to, as the agent may know it. */
export interface SessionFacts {
  readonly id: string;
  readonly mode: string;
  readonly channel: string;
  readonly participants: readonly string[];
  /** Names of the tools that may be used in it. */
  readonly tools: readonly string[];
}

/** Tells an agent where it is and what it can do there. */
@Tool({
  name: 'session.info',
  description: 'The current session: its channel, who takes part, which tools may be used.',
  parameters: Parameters,
  timeoutMs: 1_000,
  idempotent: true,
})
export class SessionInfoTool implements ToolExecutor<typeof Parameters> {
  constructor(private readonly registry: ToolRegistryService) {}

  execute(_parameters: object, { session, caller }: Pick<ToolCallContext, 'session' | 'caller'>): SessionFacts {
    const { id, mode, channel, participants } = session;
    return {
      id,
      mode,
      channel,
      participants,
      tools: this.registry.getAvailableTools({ session, caller }).map(({ name }) => name),
    };
  }
}
