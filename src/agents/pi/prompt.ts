import type { Context, Message, Tool, ToolResultMessage } from '@earendil-works/pi-ai';
import type { UserPart } from './people.js';
import { cutText, estimateMessages, estimateText } from './tokens.js';

/** An earlier message with all that belongs to it: it is shown whole or not at all. */
export interface Exchange {
  readonly messages: readonly Message[];
  /** For the digest, when it is left out. */
  readonly sender: string;
  readonly said: string;
  readonly replied: string;
}

/** How much of the room the digest of what is left out may take. */
const DIGEST_SHARE = 0.1;
/** How much of an old message the digest shows, in UTF-16 units. */
const DIGEST_LENGTH = 160;
/** How much of the window the result of one tool call may take. */
const RESULT_SHARE = 0.25;
/** What a question is cut to when the provider says that it was too long. */
const SHRINK = 0.6;
const MOST_SHRINKS = 3;
const EMPTIED = '[this result is left out to save room]';

/**
 * What a model is told in one turn, cut to its window. It follows from the stored messages and the journal alone, so a
 * turn that is taken up again tells the same, and there is no summary to lose:
 * - the message to be answered and what was done about it since are always there, long results of tools cut;
 * - of the earlier messages as many as fit, the newest first;
 * - for those that do not fit a digest: who said what, each in a line, as far as its share of the room goes.
 */
export class Prompt {
  private readonly steps: Message[] = [];
  private shrinks = 0;

  constructor(
    private readonly systemPrompt: string,
    private readonly tools: readonly Tool[],
    /** Oldest first. */
    private readonly earlier: readonly Exchange[],
    private readonly asked: readonly UserPart[],
    /** For all of it, in tokens. */
    private readonly budget: number,
  ) {}

  add(...messages: readonly Message[]): void {
    this.steps.push(...messages);
  }

  /** Makes the next question shorter; false when that would be of no use any more. */
  shrink(): boolean {
    return ++this.shrinks <= MOST_SHRINKS;
  }

  build(): Context {
    const fixed = estimateText(this.systemPrompt) + estimateText(JSON.stringify(this.tools));
    const room = Math.floor(this.budget * SHRINK ** this.shrinks) - fixed;
    const own = this.fitOwn(room);
    const messages = [...this.fitEarlier(room - estimateMessages(own)), ...own];
    return {
      systemPrompt: this.systemPrompt,
      messages: joinNeighbours(messages),
      ...(this.tools.length > 0 ? { tools: [...this.tools] } : {}),
    };
  }

  private fitOwn(room: number): Message[] {
    const most = Math.max(256, Math.floor(room * RESULT_SHARE));
    const own: Message[] = [
      toUser(this.asked),
      ...this.steps.map((message) => (message.role === 'toolResult' ? cutResult(message, most) : message)),
    ];
    for (let i = 0; i < own.length && estimateMessages(own) > room; i++) {
      const message = own[i];
      if (message?.role === 'toolResult') own[i] = { ...message, content: [{ type: 'text', text: EMPTIED }] };
    }
    return own;
  }

  private fitEarlier(room: number): Message[] {
    const costs = this.earlier.map(({ messages }) => estimateMessages(messages));
    const total = costs.reduce((sum, cost) => sum + cost, 0);
    if (total <= room) return this.earlier.flatMap(({ messages }) => messages);
    let left = room * (1 - DIGEST_SHARE);
    let first = this.earlier.length;
    while (first > 0 && (costs[first - 1] ?? 0) <= left) left -= costs[--first] ?? 0;
    const digest = this.digest(this.earlier.slice(0, first), room * DIGEST_SHARE);
    return [...digest, ...this.earlier.slice(first).flatMap(({ messages }) => messages)];
  }

  private digest(leftOut: readonly Exchange[], room: number): Message[] {
    const note = JSON.stringify({
      left_out: leftOut.length,
      note: 'earlier messages that do not fit; what follows are the beginnings of the newest of them',
    });
    const digestOf = (lines: readonly string[]) => toUser([{ type: 'text', text: [note, ...lines].join('\n') }]);
    let left = room - estimateMessages([digestOf([])]);
    if (left < 0) return [];
    const lines: string[] = [];
    for (const { sender, said, replied } of leftOut.toReversed()) {
      const line = JSON.stringify({
        sender,
        text: shorten(said),
        ...(replied === '' ? {} : { your_reply: shorten(replied) }),
      });
      left -= estimateText(`${line}\n`);
      if (left < 0) break;
      lines.unshift(line);
    }
    return [digestOf(lines)];
  }
}

/** A message of a person or of the gateway. */
export function toUser(parts: readonly UserPart[]): Message {
  return { role: 'user', content: [...parts], timestamp: 0 };
}

/** Some models insist that the roles alternate: what people say in a row is one message. */
function joinNeighbours(messages: readonly Message[]): Message[] {
  const joined: Message[] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    if (last?.role === 'user' && message.role === 'user')
      joined[joined.length - 1] = {
        ...last,
        content: joinParts([...toParts(last.content), ...toParts(message.content)]),
      };
    else joined.push(message);
  }
  return joined.map((message) =>
    message.role === 'user' ? { ...message, content: simplify(message.content) } : message,
  );
}

/** Texts that follow each other are one text, a line each. */
function joinParts(parts: readonly UserPart[]): UserPart[] {
  const joined: UserPart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (last?.type === 'text' && part.type === 'text')
      joined[joined.length - 1] = { type: 'text', text: `${last.text}\n${part.text}` };
    else joined.push(part);
  }
  return joined;
}

function toParts(content: string | readonly UserPart[]): readonly UserPart[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

/** Small servers know plain texts only. */
function simplify(content: string | UserPart[]): string | UserPart[] {
  const [first, ...others] = typeof content === 'string' ? [] : content;
  return first?.type === 'text' && others.length === 0 ? first.text : content;
}

function cutResult(message: ToolResultMessage, tokens: number): ToolResultMessage {
  return {
    ...message,
    content: message.content.map((part) =>
      part.type === 'text' ? { ...part, text: cutText(part.text, tokens) } : part,
    ),
  };
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= DIGEST_LENGTH ? line : `${line.slice(0, DIGEST_LENGTH).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
