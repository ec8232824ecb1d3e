import { ChatCalls } from './chat-calls.js';
import { asFields, asList, asWord, textOf, type Fields } from './fields.js';
import type { EventCorrector } from './sse.js';
import { readStopWord, type StopKind } from './stop-words.js';

const FINISH_REASONS: Readonly<Record<Exclude<StopKind, 'refusal' | 'failure'>, string>> = {
  end: 'stop',
  length: 'length',
  tools: 'tool_calls',
};
/** Fields of a delta that hold thoughts, one for each kind of server. */
const THOUGHTS = ['reasoning_content', 'reasoning', 'reasoning_text'];

/** Corrects the chunks of the chat completions wire (`openai-completions`). */
export class ChatCorrector implements EventCorrector {
  private readonly calls = new ChatCalls();
  private choiceIndex: unknown;
  private hasText = false;
  private hasThought = false;
  private hasFinished = false;

  private get hasAnswer(): boolean {
    return this.hasText || this.hasThought || this.calls.count > 0;
  }

  take(event: Fields): readonly Fields[] {
    const choice = this.findChoice(event['choices']);
    if (!choice) return [{ ...event, choices: [] }];
    if (isText(event, choice)) {
      this.hasText = true;
      return [event];
    }
    const delta = this.correctDelta(asFields(choice['delta']) ?? asFields(choice['message']) ?? {});
    const finishReason = this.correctReason(asWord(choice['finish_reason']));
    return [{ ...event, choices: [{ ...choice, index: 0, delta, finish_reason: finishReason }] }];
  }

  end(isDone: boolean): readonly Fields[] {
    if (!isDone || this.hasFinished || !this.hasAnswer) return [];
    return [{ choices: [{ index: 0, delta: {}, finish_reason: this.calls.count > 0 ? 'tool_calls' : 'stop' }] }];
  }

  /** Returns the choice that is the answer: the one that comes first, where there are several. */
  private findChoice(choices: unknown): Fields | undefined {
    const choice = asList(choices)
      .map(asFields)
      .find((one) => one !== undefined && (one['index'] ?? 0) === (this.choiceIndex ?? one['index'] ?? 0));
    if (choice) this.choiceIndex ??= choice['index'] ?? 0;
    return choice;
  }

  private correctDelta({ content, refusal, tool_calls, function_call, ...others }: Fields): Fields {
    const text = textOf(content) + (asWord(refusal) ?? '');
    const calls = [...asList(tool_calls), ...asList(function_call)].flatMap((call) => this.calls.take(call) ?? []);
    const thoughts = Object.fromEntries(THOUGHTS.map((field) => [field, asWord(others[field])]));
    const inParts = thoughtsIn(content);
    if (inParts !== '') thoughts['reasoning_content'] ??= inParts;
    this.hasText ||= text !== '';
    this.hasThought ||= Object.values(thoughts).some((thought) => thought !== undefined);
    return {
      ...others,
      ...thoughts,
      ...(text === '' ? {} : { content: text }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    };
  }

  /** A reason that means neither refusal nor failure ends an answer that has begun, whatever its word. */
  private correctReason(reason: string | undefined): string | null {
    if (reason === undefined) return null;
    const kind = readStopWord(reason);
    this.hasFinished = true;
    if (kind === 'refusal') return 'content_filter';
    return kind === 'failure' || (kind === 'end' && !this.hasAnswer) ? reason : FINISH_REASONS[kind];
  }
}

/** Returns whether a chunk has only text, as most have. Such a chunk needs no correction. */
function isText({ choices }: Fields, { index, delta, finish_reason: reason }: Fields): boolean {
  const isOnly = Array.isArray(choices) && choices.length === 1 && index === 0;
  const fields = asFields(delta);
  if (!isOnly || !fields || (reason ?? null) !== null || asWord(fields['content']) === undefined) return false;
  for (const field in fields) if (field !== 'content' && field !== 'role' && fields[field] !== null) return false;
  return true;
}

function thoughtsIn(content: unknown): string {
  if (!Array.isArray(content)) return '';
  return content.map((part) => textOf(asFields(part)?.['thinking'])).join('');
}
