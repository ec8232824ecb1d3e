import { Injectable } from '@nestjs/common';
import type { AssistantMessage, Tool } from '@earendil-works/pi-ai';
import { GatewayError } from '../../protocol/index.js';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { findProvider, splitModel } from './providers.js';
import { parseCommand } from '../../core/sessions/activation.js';
import { Logs, type Log } from '../../core/telemetry/logs.js';
import { Clock } from '../../core/time/clock.js';
import {
  AgentRuntime,
  type AgentEvent,
  type AgentTurn,
  type Answer,
  type RequestedCall,
} from '../../core/turns/agent-runtime.js';
import { answerCommand } from './commands.js';
import { Prompt } from './prompt.js';
import { toAgentError } from './failures.js';
import { recall, recallJoined } from './recall.js';
import { ModelRequest, type ModelAnswer } from './model-request.js';
import { renderSystemPrompt } from './people.js';
import { loadModel, type AskableModel } from './pi-models.js';
import { renderOutcome, sayAs, toToolCall } from './replies.js';
import { ToolNames } from '../../core/tools/tool-names.js';

/** A model that still calls tools after so many answers is going in circles. */
const MOST_ANSWERS = 64;

/** What a turn with a model uses. */
interface Talk {
  readonly turn: AgentTurn;
  readonly target: AskableModel;
  readonly prompt: Prompt;
  readonly names: ToolNames;
}

/** What the journal keeps of an answer besides its calls: pi's message, which providers want back as it was. */
interface AnswerState {
  readonly message: AssistantMessage;
}

/**
 * The agent with a model behind it: asks, lets the gateway run the tools that the answer calls, and asks again with their
 * results, until an answer calls none. The wires are pi's, the loop is the turn's (docs/adr/0008).
 */
@Injectable()
export class PiRuntime extends AgentRuntime {
  override readonly name = 'pi';
  private readonly log: Log;

  constructor(
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    super();
    this.log = logs.for('agent');
  }

  override async *run(turn: AgentTurn): AsyncGenerator<AgentEvent> {
    const said = answerCommand(parseCommand(turn.message.payload.content), turn, this.config.get('agent.model') ?? '');
    if (said !== undefined) return yield* this.sayOnce(turn, said);
    const talk = await this.begin(turn);
    for (let n = 0; n < MOST_ANSWERS; n++) {
      await this.takeIn(talk, n);
      const answer = turn.recordedAnswer(n) ?? (yield* this.ask(talk));
      if (!answer) return;
      if (answer.toolCalls.length === 0 && (!turn.isSteered || (await turn.joinedMessages(n + 1)).length === 0)) return;
      await this.callTools(talk, n, answer);
      if (turn.signal.aborted) return;
    }
    throw new GatewayError('AGENT_FAILED', {
      reason: `the model called tools in ${MOST_ANSWERS} answers without coming to an end`,
    });
  }

  private async *sayOnce(turn: AgentTurn, text: string): AsyncGenerator<AgentEvent> {
    if (turn.recordedAnswer(0)) return;
    yield { type: 'piece', piece: { blockType: 'status', text, ends: true } };
    yield { type: 'answer', answer: { toolCalls: [] }, isLast: true };
  }

  private async begin(turn: AgentTurn): Promise<Talk> {
    const name = this.config.get('agent.model') ?? '';
    const provider = findProvider(this.config.get('providers'), splitModel(name).provider);
    if (!provider)
      throw new GatewayError('AGENT_FAILED', { reason: 'no model is configured; an operator has to set agent.model' });
    const target = await loadModel(name, provider);
    const { model } = target;
    const offered = turn.listTools();
    const names = new ToolNames(offered.map((tool) => tool.name));
    const tools = offered.map(({ name: tool, description, parameters }): Tool => ({
      name: names.encode(tool),
      description,
      parameters,
    }));
    const { earlier, asked } = await recall(turn, model, names, model.input.includes('image'));
    const systemPrompt = renderSystemPrompt(
      this.config.get('agent.system_prompt'),
      this.config.get('agent.name'),
      turn.session,
    );
    // An answer may be long, but the question must not be starved for it.
    const budget = model.contextWindow - Math.min(model.maxTokens, Math.floor(model.contextWindow / 4));
    return { turn, target, names, prompt: new Prompt(systemPrompt, tools, earlier, asked, budget) };
  }

  /** Tells the model of the messages that joined the turn before answer number `n`. */
  private async takeIn({ turn, target, prompt }: Talk, n: number): Promise<void> {
    const joined = await turn.joinedMessages(n);
    if (joined.length > 0) prompt.add(...(await recallJoined(turn, joined, target.model.input.includes('image'))));
  }

  /** One answer, recorded; undefined when the turn was stopped. */
  private async *ask({ turn, target, prompt, names }: Talk): AsyncGenerator<AgentEvent, Answer | undefined> {
    const request = new ModelRequest(target, this.clock, this.log);
    for (;;) {
      const outcome = yield* request.ask({
        context: prompt.build(),
        sessionId: turn.session.id,
        signal: turn.signal,
      });
      if (outcome.kind === 'aborted') return undefined;
      if (outcome.kind === 'answer') {
        yield* remark(outcome.answer);
        const answer = toAnswer(outcome.answer, names, turn.isSteered);
        yield { type: 'answer', answer, isLast: answer.toolCalls.length === 0 && !turn.isSteered };
        return answer;
      }
      if (!outcome.failure.overflow || !prompt.shrink()) throw toAgentError(outcome.failure);
      yield { type: 'restart_answer' };
    }
  }

  /** Runs the calls of an answer in their order, each once and for all, and tells the model of them. */
  private async callTools({ turn, target, prompt, names }: Talk, n: number, answer: Answer): Promise<void> {
    const message = (answer.state as AnswerState | undefined)?.message ?? inOwnWords(answer, n, target, names);
    if (message.content.length > 0) prompt.add(message);
    const asked = message.content.filter((part) => part.type === 'toolCall');
    for (const [i, call] of answer.toolCalls.entries()) {
      const outcome = await turn.callTool(n, i, call);
      if (turn.signal.aborted) return;
      prompt.add(renderOutcome(asked[i]?.id ?? '', asked[i]?.name ?? call.tool, outcome));
    }
  }
}

/** What people should know of an answer that does not show by itself. */
function* remark({ message, calls }: ModelAnswer): Generator<AgentEvent> {
  const isEmpty =
    calls.length === 0 && !message.content.some((part) => part.type === 'text' && part.text.trim() !== '');
  const text =
    message.stopReason === 'length' && calls.length === 0
      ? 'The answer ends here because it reached the longest that the model may give.'
      : isEmpty
        ? 'The model gave no answer.'
        : undefined;
  if (text !== undefined) yield { type: 'piece', piece: { blockType: 'status', text, ends: true } };
}

function toAnswer({ message, calls }: ModelAnswer, names: ToolNames, mayGoOn: boolean): Answer {
  const { input, cacheRead, cacheWrite, output } = message.usage;
  return {
    toolCalls: calls.map(({ tool, parameters }): RequestedCall => ({ tool: names.decode(tool), parameters })),
    usage: { input_tokens: input + cacheRead + cacheWrite, output_tokens: output },
    // The last answer of a turn is not asked for again.
    ...(calls.length > 0 || mayGoOn ? { state: { message } satisfies AnswerState } : {}),
  };
}

/** An answer that another runtime recorded, before the settings changed. */
function inOwnWords(answer: Answer, n: number, { model }: AskableModel, names: ToolNames): AssistantMessage {
  return sayAs(
    model,
    answer.toolCalls.map(({ tool, parameters }, i) => toToolCall(`call_${n}_${i}`, names.encode(tool), parameters)),
  );
}
