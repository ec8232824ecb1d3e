import Type from 'typebox';
import { Tool, type ToolExecutor } from '../core/tools/tool.decorator.js';
import type { ToolCallContext } from '../core/tools/tool.js';
import { SessionStore } from '../core/store/index.js';
import { ToolRegistryService } from '../core/tools/tool-registry.service.js';

const Parameters = Type.Object({}, { additionalProperties: false });

/** Facts about the session of a call, for the agent. */
export interface SessionFacts {
  readonly id: string;
  readonly mode: string;
  readonly channel: string;
  /** Its ID. */
  readonly agent: string;
  readonly participants: readonly string[];
  /** Names of the tools that the session may use. */
  readonly tools: readonly string[];
}

/** Returns the agent's session and its tools. */
@Tool({
  name: 'session.info',
  description: 'The current session: its channel, its participants, and the tools that may be used.',
  parameters: Parameters,
  timeoutMs: 1_000,
  idempotent: true,
})
export class SessionInfoTool implements ToolExecutor<typeof Parameters> {
  constructor(
    private readonly registry: ToolRegistryService,
    private readonly sessions: SessionStore,
  ) {}

  async execute(
    _parameters: object,
    { session, caller, agent }: Pick<ToolCallContext, 'session' | 'caller' | 'agent'>,
  ): Promise<SessionFacts> {
    const { id, mode, channel } = session;
    return {
      id,
      mode,
      channel,
      agent: agent.id,
      participants: await this.sessions.listParticipants(id),
      tools: this.registry.getAvailableTools({ session, caller, agent }).map(({ name }) => name),
    };
  }
}
