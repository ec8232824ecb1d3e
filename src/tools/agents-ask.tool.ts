import Type, { type Static } from 'typebox';
import type { AgentDefinition } from '../core/agents/agent-definition.js';
import { AgentsService } from '../core/agents/agents.service.js';
import { endWith, listShortly } from '../core/agents/short-list.js';
import { Tally } from '../core/limits/tally.js';
import { QuestionsService } from '../core/questions/questions.service.js';
import type { Reply } from '../core/store/index.js';
import { DAY_MS } from '../core/time/clock.js';
import { Tool, type ToolExecutor } from '../core/tools/tool.decorator.js';
import type { ToolCallContext, ToolReader } from '../core/tools/tool.js';
import { ToolRegistryService } from '../core/tools/tool-registry.service.js';
import { MAX_CONTENT_LENGTH } from '../protocol/constants.js';
import { text } from '../protocol/text.js';

/** Agents that may wait for one answer: A asks B asks C, and C asks none. */
const MAX_DEPTH = 2;
/** Questions that one turn may ask at the same time. */
const MAX_AT_ONCE = 4;

/** IDs in the failure of a question to an unknown agent. */
const MAX_NAMED = 20;

/** The permission for all agents; `agents:ID` is that for one. */
const PERMISSION = 'agents';
/** Blocks of a reply that are text. */
const TEXTS: readonly string[] = ['text', 'markdown', 'code'];

const Parameters = Type.Object(
  {
    agent: Type.String({ pattern: '^[a-z0-9-]{1,32}$', description: 'The ID of the agent to ask.' }),
    message: text(
      { min: 1, max: MAX_CONTENT_LENGTH, controls: true },
      'The question, with all that is needed to answer it.',
    ),
  },
  { additionalProperties: false },
);

/** Asks another agent of the tenant and returns its answer (agents.md section 5). */
@Tool({
  name: 'agents.ask',
  description: 'Asks another agent, which answers in a conversation of its own, and returns its answer.',
  parameters: Parameters,
  permissions: [PERMISSION],
  permissionOf: ({ agent }) => `${PERMISSION}:${agent}`,
  // The turn that asks ends it sooner.
  timeoutMs: DAY_MS,
  idempotent: true,
  isWaiting: true,
})
export class AgentsAskTool implements ToolExecutor<typeof Parameters> {
  /** By turn: questions that wait for their answer. */
  private readonly waiting = new Tally();

  constructor(
    private readonly agents: AgentsService,
    private readonly questions: QuestionsService,
    private readonly registry: ToolRegistryService,
  ) {}

  async execute(
    { agent: id, message }: Static<typeof Parameters>,
    context: Pick<
      ToolCallContext,
      'callId' | 'session' | 'caller' | 'agent' | 'trace' | 'turn' | 'signal' | 'reportProgress'
    >,
  ): Promise<{ agent: string; answer: string }> {
    const { callId, session, agent: asker, trace, turn, signal, reportProgress } = context;
    const asked = this.agents.find(id);
    if (!turn) throw new Error('an agent can be asked in a turn only');
    // An agent of another tenant answers as if it did not exist.
    if (asked?.tenant !== session.tenant) throw new Error(this.describeMissing(id, { ...context, chain: turn.chain }));
    const chain = [...turn.chain, asker.id];
    if (chain.includes(id)) throw new Error(`the agent ${id} waits for this answer itself`);
    if (chain.length > MAX_DEPTH) throw new Error(`at most ${MAX_DEPTH} agents may wait for an answer`);
    const leave = this.enter(turn.messageRef);
    try {
      const permissions = this.registry.listHeld(context);
      reportProgress(`${asked.name} (session ${this.questions.sessionOf(session, asked).id})`);
      const { messageRef, personal, show } = turn;
      const reply = await this.questions.ask(
        { callId, session, messageRef, asker, asked, text: message, chain, permissions, personal, show, trace },
        signal,
      );
      return { agent: id, answer: readAnswer(reply, asked.name) };
    } finally {
      leave();
    }
  }

  /** Lists the agents that the turn can ask. */
  guide(reader: ToolReader, name: string): string {
    const { lines, leftOut } = listShortly(this.listAskable(reader), (agent) => {
      const called = agent.name === agent.id ? '' : ` (${agent.name})`;
      return `- ${agent.id}${called}${endWith(agent.description)}`;
    });
    if (lines.length === 0) return `No agent can be asked with ${name} now.`;
    const more = `- and ${leftOut} more; a question to a part of an ID fails with the IDs that contain it`;
    return [`Agents that can be asked with ${name}, by ID:`, ...lines, ...(leftOut > 0 ? [more] : [])].join('\n');
  }

  /** Returns the agents of the tenant that may be asked, and do not wait themselves. */
  private listAskable({ session, caller, agent: asker, chain }: ToolReader): readonly AgentDefinition[] {
    const waiting = [...chain, asker.id];
    if (waiting.length > MAX_DEPTH) return [];
    const held = new Set(this.registry.listHeld({ session, caller, agent: asker }));
    return this.agents
      .list()
      .filter(
        ({ id, tenant }) =>
          tenant === session.tenant &&
          !waiting.includes(id) &&
          (held.has(PERMISSION) || held.has(`${PERMISSION}:${id}`)),
      );
  }

  /** Names agents that can be asked, first those whose ID contains the one that was asked for. */
  private describeMissing(id: string, reader: ToolReader): string {
    const ids = this.listAskable(reader).map((agent) => agent.id);
    const [similar, others] = [ids.filter((other) => other.includes(id)), ids.filter((other) => !other.includes(id))];
    const named = [...similar, ...others].slice(0, MAX_NAMED).join(', ');
    const more = ids.length > MAX_NAMED ? ` and ${ids.length - MAX_NAMED} more` : '';
    return `there is no agent ${id}; ${named === '' ? 'none can be asked' : `there are ${named}${more}`}`;
  }

  private enter(messageRef: string): () => void {
    if (this.waiting.count(messageRef) >= MAX_AT_ONCE)
      throw new Error(`at most ${MAX_AT_ONCE} questions of one turn may wait at the same time`);
    return this.waiting.enter(messageRef);
  }
}

/** @throws Error with the reason if the agent gave no answer */
function readAnswer({ reason, error, blocks }: Reply, name: string): string {
  if (reason !== 'stop') throw new Error(`${name} gave no answer: ${error?.message ?? reason}`);
  return blocks
    .filter(({ block_type: type }) => TEXTS.includes(type))
    .map(({ content }) => content)
    .join('\n\n');
}
