import { Injectable } from '@nestjs/common';
import type { AssistantMessage, Tool } from '@earendil-works/pi-ai';
import { GatewayError } from '../../protocol/index.js';
import { ConfigStoreService } from '../../core/config/config-store.service.js';
import { findProvider, splitModel } from './providers.js';
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
import { isRefusedContent, PAYLOAD_TOO_LARGE, toAgentError, type ModelFailure } from './failures.js';
import { recall, recallJoined } from './recall.js';
import { ModelRequest, type ModelAnswer } from './model-request.js';
import { renderSystemPrompt } from './people.js';
import { loadModel, type AskableModel } from './pi-models.js';
import { renderOutcome, sayAs, toToolCall } from './replies.js';
import { ToolNames } from '../../core/tools/tool-names.js';
import type { ToolOutcome } from '../../core/tools/tool.js';

/** Maximum number of answers of one turn; a model that still calls tools then loops. */
const MAX_ANSWERS = 64;
/** Maximum number of answers in a row whose calls all fail in the same way: more requests cost money and change nothing. */
const MAX_EQUAL_FAILURES = 5;

const PICTURES_LEFT_OUT =
  'The provider of the model did not accept the pictures of this message; the answer was given without them.';

/** The parts of one turn with a model. */
interface Talk {
  readonly turn: AgentTurn;
  readonly target: AskableModel;
  readonly prompt: Prompt;
  readonly names: ToolNames;
}

/** The state of an answer in the journal: pi's message, which providers want back unchanged. */
interface AnswerState {
  readonly message: AssistantMessage;
}

/**
 * The runtime with a model: it sends the prompt, has the gateway run the tools that the answer calls, and sends the prompt
 * again with their results, until an answer calls none. pi implements the APIs of the providers (docs/adr/0008).
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
    const said = answerCommand(turn.command, turn, this.config.get('agent.model') ?? '');
    if (said !== undefined) return yield* this.answerOnce(turn, said);
    const talk = await this.begin(turn);
    let failures: Repetition = { failure: undefined, times: 0 };
    for (let n = 0; n < MAX_ANSWERS; n++) {
      await this.addJoined(talk, n);
      const answer = turn.recordedAnswer(n) ?? (yield* this.ask(talk));
      if (!answer) return;
      if (answer.toolCalls.length === 0 && (!turn.isSteered || (await turn.joinedMessages(n + 1)).length === 0)) return;
      const outcomes = await this.callTools(talk, n, answer);
      if (turn.signal.aborted) return;
      failures = countFailures(failures, answer, outcomes);
      if (failures.times === MAX_EQUAL_FAILURES)
        throw new GatewayError('AGENT_FAILED', {
          reason: `the model repeated a tool call that failed ${MAX_EQUAL_FAILURES} times in the same way`,
        });
    }
    throw new GatewayError('AGENT_FAILED', {
      reason: `the model called tools in ${MAX_ANSWERS} answers without coming to an end`,
    });
  }

  private async *answerOnce(turn: AgentTurn, text: string): AsyncGenerator<AgentEvent> {
    if (turn.recordedAnswer(0)) return;
    yield toStatus(text);
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
    // The reserve for a long answer must not take the room of the prompt.
    const budget = model.contextWindow - Math.min(model.maxTokens, Math.floor(model.contextWindow / 4));
    return { turn, target, names, prompt: new Prompt(systemPrompt, tools, earlier, asked, budget) };
  }

  /** Adds the messages that joined the turn before answer number `n` to the prompt. */
  private async addJoined({ turn, target, prompt }: Talk, n: number): Promise<void> {
    const joined = await turn.joinedMessages(n);
    if (joined.length > 0) prompt.add(...(await recallJoined(turn, joined, target.model.input.includes('image'))));
  }

  /** Yields one answer and returns it once it is recorded; returns undefined if the turn was stopped. */
  private async *ask({ turn, target, prompt, names }: Talk): AsyncGenerator<AgentEvent, Answer | undefined> {
    const request = new ModelRequest(target, this.clock, this.log);
    const pictures = prompt.pictures.ofAsked;
    for (;;) {
      const outcome = yield* request.ask({
        context: prompt.build(),
        sessionId: turn.session.id,
        signal: turn.signal,
      });
      if (outcome.kind === 'aborted') return undefined;
      if (outcome.kind === 'answer') {
        if (pictures !== prompt.pictures.ofAsked) yield toStatus(PICTURES_LEFT_OUT);
        yield* remark(outcome.answer);
        const answer = toAnswer(outcome.answer, names, turn.isSteered);
        yield { type: 'answer', answer, isLast: answer.toolCalls.length === 0 && !turn.isSteered };
        return answer;
      }
      if (!adapt(prompt, outcome.failure)) throw toAgentError(outcome.failure);
      yield { type: 'restart_answer' };
    }
  }

  /** Runs the calls of an answer in order, each exactly once, and adds them and their results to the prompt. */
  private async callTools({ turn, target, prompt, names }: Talk, n: number, answer: Answer): Promise<ToolOutcome[]> {
    const outcomes: ToolOutcome[] = [];
    const message = (answer.state as AnswerState | undefined)?.message ?? inOwnWords(answer, n, target, names);
    if (message.content.length > 0) prompt.add(message);
    const asked = message.content.filter((part) => part.type === 'toolCall');
    for (const [i, call] of answer.toolCalls.entries()) {
      const outcome = await turn.callTool(n, i, call);
      if (turn.signal.aborted) break;
      outcomes.push(outcome);
      prompt.add(renderOutcome(asked[i]?.id ?? '', asked[i]?.name ?? call.tool, outcome));
    }
    return outcomes;
  }
}

/** The number of answers in a row whose calls have failed in the same way. */
interface Repetition {
  readonly failure: string | undefined;
  readonly times: number;
}

function countFailures(before: Repetition, { toolCalls }: Answer, outcomes: readonly ToolOutcome[]): Repetition {
  if (outcomes.length === 0 || outcomes.some(({ ok }) => ok)) return { failure: undefined, times: 0 };
  const failure = JSON.stringify(
    outcomes.map((outcome, i) => [toolCalls[i]?.tool, outcome.ok ? '' : `${outcome.code} ${outcome.message}`]),
  );
  return { failure, times: failure === before.failure ? before.times + 1 : 1 };
}

/** Changes a refused prompt so that it may be accepted; returns false if nothing is left to change. */
function adapt(prompt: Prompt, failure: ModelFailure): boolean {
  if (failure.overflow) return prompt.shrink();
  if (!isRefusedContent(failure)) return false;
  return prompt.leaveOutPictures() || (failure.status === PAYLOAD_TOO_LARGE && prompt.shrink());
}

function toStatus(text: string): AgentEvent {
  return { type: 'piece', piece: { blockType: 'status', text, ends: true } };
}

/** Yields a remark on an answer that is empty or truncated. */
function* remark({ message, calls }: ModelAnswer): Generator<AgentEvent> {
  const isEmpty =
    calls.length === 0 && !message.content.some((part) => part.type === 'text' && part.text.trim() !== '');
  const text =
    message.stopReason === 'length' && calls.length === 0
      ? 'The answer ends here because it has reached the maximum length.'
      : isEmpty
        ? 'The model gave no answer.'
        : undefined;
  if (text !== undefined) yield toStatus(text);
}

function toAnswer({ message, calls }: ModelAnswer, names: ToolNames, mayGoOn: boolean): Answer {
  const { input, cacheRead, cacheWrite, output } = message.usage;
  const inputTokens = toCount(input) + toCount(cacheRead) + toCount(cacheWrite);
  return {
    toolCalls: calls.map(({ tool, parameters }): RequestedCall => ({ tool: names.decode(tool), parameters })),
    usage: { input_tokens: inputTokens, output_tokens: toCount(output) },
    // The last answer of a turn is not sent to the model again.
    ...(calls.length > 0 || mayGoOn ? { state: { message } satisfies AnswerState } : {}),
  };
}

/** Returns a token count of a provider as a whole number; 0 if it is not a positive number. */
function toCount(tokens: unknown): number {
  return typeof tokens === 'number' && tokens > 0 && Number.isFinite(tokens) ? Math.round(tokens) : 0;
}

/** Returns the message of an answer that another runtime recorded before the settings changed. */
function inOwnWords(answer: Answer, n: number, { model }: AskableModel, names: ToolNames): AssistantMessage {
  return sayAs(
    model,
    answer.toolCalls.map(({ tool, parameters }, i) => toToolCall(`call_${n}_${i}`, names.encode(tool), parameters)),
  );
}
