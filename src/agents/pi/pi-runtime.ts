import { Injectable } from '@nestjs/common';
import type { Tool } from '@earendil-works/pi-ai';
import { GatewayError } from '../../protocol/index.js';
import { mayShowModel, type AgentDefinition } from '../../core/agents/agent-definition.js';
import { Logs, type Log } from '../../core/telemetry/logs.js';
import { Clock } from '../../core/time/clock.js';
import {
  AgentRuntime,
  type AgentEvent,
  type AgentTurn,
  type Answer,
  type RequestedCall,
} from '../../core/turns/agent-runtime.js';
import { answerCommand, runModelCommand } from './commands.js';
import { Conversation, type AnswerState } from './conversation.js';
import { Instructions } from './instructions.js';
import type { Prompt } from './prompt.js';
import { isPassedOn, PAYLOAD_TOO_LARGE } from './failure-kinds.js';
import { isRefusedPrompt, toAgentError, type ModelFailure } from './failures.js';
import { ModelChoice } from './model-choice.js';
import { ModelMetrics } from './model-metrics.js';
import { ModelRest } from './model-rest.js';
import type { AskOutcome, ModelAnswer } from './ask-outcome.js';
import { ModelRequest } from './model-request.js';
import { splitModel } from './providers.js';
import type { AskableModel } from './pi-models.js';
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
  readonly conversation: Conversation;
  readonly names: ToolNames;
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
    private readonly models: ModelChoice,
    private readonly rest: ModelRest,
    private readonly instructions: Instructions,
    private readonly metrics: ModelMetrics,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    super();
    this.log = logs.for('agent');
  }

  override findProblem({ id, model, fallbacks }: AgentDefinition): string | undefined {
    const models = [...(model === undefined ? [] : [model]), ...fallbacks];
    const rests = models.map((name) => this.rest.find(name));
    if (rests.length === 0 || rests.includes(undefined)) return undefined;
    const failures = rests.map((rest, i) => `${models[i]} (${rest?.kind})`);
    return `the agent ${id} has no model that answers: ${failures.join(', ')}`;
  }

  override async *run(turn: AgentTurn): AsyncGenerator<AgentEvent> {
    const said =
      turn.command?.name === 'model'
        ? await runModelCommand(turn, this.models)
        : answerCommand(turn, () => this.describeModels(turn));
    if (said !== undefined) return yield* this.answerOnce(turn, said);
    const talk = await this.begin(turn);
    let failures: Repetition = { failure: undefined, times: 0 };
    for (let n = 0; n < MAX_ANSWERS; n++) {
      talk.conversation.addJoined(await turn.joinedMessages(n));
      const answer = turn.recordedAnswer(n) ?? (yield* this.ask(talk));
      if (!answer) return;
      if (answer.toolCalls.length === 0 && (!turn.isSteered || (await turn.joinedMessages(n + 1)).length === 0)) return;
      const outcomes = await callTools(turn, n, answer);
      if (turn.signal.aborted) return;
      talk.conversation.addAnswer(n, answer, outcomes);
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
    const offered = turn.listTools();
    const names = new ToolNames(offered.map((tool) => tool.name));
    const tools = offered.map(({ name: tool, description, parameters }): Tool => ({
      name: names.encode(tool),
      description,
      parameters,
    }));
    const systemPrompt = await this.instructions.render(turn, names);
    return { turn, names, conversation: new Conversation(turn, names, tools, systemPrompt) };
  }

  /**
   * Yields one answer, of the first model that gives one, and returns it once it is recorded; returns undefined if the turn
   * was stopped. @throws GatewayError AGENT_FAILED
   */
  private async *ask({ turn, conversation, names }: Talk): AsyncGenerator<AgentEvent, Answer | undefined> {
    const order = this.rest.order(this.models.list(turn.agent, turn.session));
    for (const [i, model] of order.entries()) {
      const next = order[i + 1];
      const target = await this.models.load(model, turn.agent);
      const prompt = await conversation.promptFor(target);
      const askedAt = this.clock.elapsed();
      const outcome = yield* this.askModel(turn, target, prompt, next !== undefined);
      if (outcome.kind === 'aborted') return undefined;
      if (outcome.kind === 'answer') {
        this.rest.noteAnswer({ model, askedAt });
        const answer = toAnswer(outcome.answer, model, names, turn.isSteered);
        yield { type: 'answer', answer, isLast: answer.toolCalls.length === 0 && !turn.isSteered };
        return answer;
      }
      if (!isPassedOn(outcome.failure.kind)) throw toAgentError(outcome.failure);
      const { kind } = outcome.failure;
      const resting = this.rest.noteFailure({ model, askedAt }, kind);
      if (resting) this.log.warn({ name: resting.name, kind, rest_ms: resting.remainingMs }, 'a provider rests');
      if (next === undefined) throw toAgentError(outcome.failure);
      this.log.warn({ model, kind, next }, 'the next model is asked');
      yield { type: 'restart_answer' };
    }
    return undefined;
  }

  /** Asks one model; a prompt that it refuses is asked again with less in it. */
  private async *askModel(
    turn: AgentTurn,
    target: AskableModel,
    prompt: Prompt,
    hasNext: boolean,
  ): AsyncGenerator<AgentEvent, AskOutcome> {
    const request = new ModelRequest(target, this.clock, this.log, this.metrics);
    const pictures = prompt.pictures.ofAsked;
    for (;;) {
      const outcome = yield* request.ask({
        context: prompt.build(),
        sessionId: turn.session.id,
        signal: turn.signal,
        trace: turn.trace,
        hasNext,
      });
      if (outcome.kind === 'answer') {
        if (pictures !== prompt.pictures.ofAsked) yield toStatus(PICTURES_LEFT_OUT);
        yield* remark(outcome.answer);
      }
      if (outcome.kind !== 'failed' || !adapt(prompt, outcome.failure)) return outcome;
      yield { type: 'restart_answer' };
    }
  }

  /** Returns the lines of `/status` about models. */
  private describeModels({ agent, session }: AgentTurn): string {
    const chosen = this.models.findChosen(session);
    if (!mayShowModel(agent, session)) return `model: ${chosen ?? `that of ${agent.name}`}`;
    const models = this.models.list(agent, session);
    const [first, ...others] = models;
    const resting = this.rest
      .list()
      .filter(({ name }) => models.some((model) => model === name || splitModel(model).provider === name))
      .map(({ name, kind, remainingMs }) => `resting: ${name} (${kind}) for ${Math.ceil(remainingMs / 1_000)} s`);
    const fallbacks = others.length > 0 ? [`fallbacks: ${others.join(', ')}`] : [];
    return [`model: ${first}`, ...fallbacks, ...resting].join('\n');
  }
}

/** Runs the calls of an answer in order, each exactly once. Ends early when the turn is stopped. */
async function callTools(turn: AgentTurn, n: number, { toolCalls }: Answer): Promise<ToolOutcome[]> {
  const outcomes: ToolOutcome[] = [];
  for (const [i, call] of toolCalls.entries()) {
    const outcome = await turn.callTool(n, i, call);
    if (turn.signal.aborted) break;
    outcomes.push(outcome);
  }
  return outcomes;
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
  if (failure.kind === 'too long') return prompt.shrink();
  if (!isRefusedPrompt(failure)) return false;
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

function toAnswer({ message, calls }: ModelAnswer, model: string, names: ToolNames, mayGoOn: boolean): Answer {
  const { input, cacheRead, cacheWrite, output } = message.usage;
  const inputTokens = toCount(input) + toCount(cacheRead) + toCount(cacheWrite);
  return {
    toolCalls: calls.map(({ tool, parameters }): RequestedCall => ({ tool: names.decode(tool), parameters })),
    usage: { input_tokens: inputTokens, output_tokens: toCount(output), model },
    ...(toCount(cacheRead) > 0 && { cachedTokens: toCount(cacheRead) }),
    // The last answer of a turn is not sent to the model again.
    ...(calls.length > 0 || mayGoOn ? { state: { message } satisfies AnswerState } : {}),
  };
}

/** Returns a token count of a provider as a whole number; 0 if it is not a positive number. */
function toCount(tokens: unknown): number {
  return typeof tokens === 'number' && tokens > 0 && Number.isFinite(tokens) ? Math.round(tokens) : 0;
}
