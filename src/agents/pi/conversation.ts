import type { AssistantMessage, Message, Tool } from '@earendil-works/pi-ai';
import type { StoredMessage } from '../../core/store/index.js';
import type { AgentTurn, Answer } from '../../core/turns/agent-runtime.js';
import type { ToolNames } from '../../core/tools/tool-names.js';
import type { ToolOutcome } from '../../core/tools/tool.js';
import type { AskableModel } from './pi-models.js';
import { Prompt } from './prompt.js';
import { readShownImages, recall, recallJoined } from './recall.js';
import { renderOutcome, sayAs, toToolCall, type Voice } from './replies.js';

/** The state of an answer in the journal: pi's message, which its model wants back unchanged. */
export interface AnswerState {
  readonly message: AssistantMessage;
}

/** A part of a turn after its message: a reply of the model with the outcomes of its calls, or messages that joined. */
type Step =
  | { readonly kind: 'answer'; readonly n: number; readonly answer: Answer; readonly outcomes: readonly ToolOutcome[] }
  | { readonly kind: 'joined'; readonly messages: readonly StoredMessage[] };

/** The prompt of one model, and the number of steps in it. */
interface KeptPrompt {
  readonly prompt: Prompt;
  steps: number;
}

/**
 * The conversation of one turn, for whichever model is asked. Each model gets a prompt that fits its window and its inputs.
 * The answers of another model are reduced to text and calls: other providers refuse its reasoning and the ids of its
 * calls.
 */
export class Conversation {
  private readonly steps: Step[] = [];
  private readonly prompts = new Map<string, KeptPrompt>();

  constructor(
    private readonly turn: AgentTurn,
    private readonly names: ToolNames,
    private readonly tools: readonly Tool[],
    private readonly systemPrompt: string,
  ) {}

  addJoined(messages: readonly StoredMessage[]): void {
    if (messages.length > 0) this.steps.push({ kind: 'joined', messages });
  }

  /** Adds answer number `n` with the outcomes of its calls. */
  addAnswer(n: number, answer: Answer, outcomes: readonly ToolOutcome[]): void {
    this.steps.push({ kind: 'answer', n, answer, outcomes });
  }

  /** Returns the prompt of a model. It is the same one each time, so what a provider refused stays left out. */
  async promptFor(target: AskableModel): Promise<Prompt> {
    const { provider, id } = target.model;
    const name = `${provider}/${id}`;
    const kept = this.prompts.get(name) ?? { prompt: await this.begin(target), steps: 0 };
    this.prompts.set(name, kept);
    for (const step of this.steps.slice(kept.steps)) kept.prompt.add(...(await this.render(step, target)));
    kept.steps = this.steps.length;
    return kept.prompt;
  }

  private async begin({ model }: AskableModel): Promise<Prompt> {
    const { earlier, asked } = await recall(this.turn, model, this.names, model.input.includes('image'));
    // The reserve for a long answer must not take the room of the prompt.
    const budget = model.contextWindow - Math.min(model.maxTokens, Math.floor(model.contextWindow / 4));
    return new Prompt(this.systemPrompt, this.tools, earlier, asked, budget);
  }

  private async render(step: Step, { model }: AskableModel): Promise<Message[]> {
    if (step.kind === 'joined') return recallJoined(this.turn, step.messages, model.input.includes('image'));
    const message = this.renderAnswer(step.n, step.answer, model);
    const calls = message.content.filter((part) => part.type === 'toolCall');
    const takesImages = model.input.includes('image');
    const results = await Promise.all(
      step.outcomes.map(async (outcome, i) => {
        const images = takesImages ? await readShownImages(this.turn, outcome) : [];
        const name = calls[i]?.name ?? step.answer.toolCalls[i]?.tool ?? '';
        return renderOutcome(calls[i]?.id ?? '', name, outcome, images);
      }),
    );
    return message.content.length > 0 ? [message, ...results] : results;
  }

  private renderAnswer(n: number, { state, toolCalls }: Answer, voice: Voice): AssistantMessage {
    const said = (state as AnswerState | undefined)?.message;
    if (said && said.api === voice.api && said.provider === voice.provider && said.model === voice.id) return said;
    const texts = said?.content.flatMap((part) => (part.type === 'text' ? [{ type: part.type, text: part.text }] : []));
    const calls = toolCalls.map(({ tool, parameters }, i) =>
      toToolCall(`call_${n}_${i}`, this.names.encode(tool), parameters),
    );
    return sayAs(voice, [...(texts ?? []), ...calls]);
  }
}
