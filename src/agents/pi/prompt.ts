import type { Context, Message, Tool, ToolResultMessage } from '@earendil-works/pi-ai';
import type { UserPart } from './people.js';
import { cutText, estimateMessages, estimateText } from './tokens.js';

/** An earlier message with its reply and reactions; the prompt has all of it or nothing. */
export interface Exchange {
  readonly messages: readonly Message[];
  /** For the digest, when it is left out. */
  readonly sender: string;
  readonly said: string;
  readonly replied: string;
}

/** Share of the room that the digest of earlier messages may take. */
const DIGEST_SHARE = 0.1;
/** Length of an old message in the digest, in UTF-16 units. */
const DIGEST_LENGTH = 160;
/** Share of the window that the result of one tool call may take. */
const RESULT_SHARE = 0.25;
/** Factor by which the room shrinks each time that the provider finds the prompt too long. */
const SHRINK = 0.6;
const MAX_SHRINKS = 3;
const EMPTIED = '[this result is left out to save room]';
const PICTURE_LEFT_OUT = '[a picture is left out: the provider of the model did not accept it]';

/** The state of the pictures of earlier messages, and of those since the message to answer. */
interface Pictures {
  ofEarlier: 'sent' | 'left out';
  ofAsked: 'sent' | 'left out';
}

/**
 * The input of a model in one turn, truncated to its window. It is computed from the stored messages and the journal only,
 * so a resumed turn has the same input:
 * - the message to answer and the steps since are always there, long results of tools truncated;
 * - of the earlier messages as many as fit, the newest first;
 * - for those that do not fit a digest: who said what, a line each, within its share of the room.
 */
export class Prompt {
  readonly pictures: Pictures = { ofEarlier: 'sent', ofAsked: 'sent' };
  private readonly steps: Message[] = [];
  private shrinks = 0;

  constructor(
    private readonly systemPrompt: string,
    private readonly tools: readonly Tool[],
    /** Oldest first. */
    private readonly earlier: readonly Exchange[],
    private readonly asked: readonly UserPart[],
    /** For the whole input, in tokens. */
    private readonly budget: number,
  ) {}

  add(...messages: readonly Message[]): void {
    this.steps.push(...messages);
  }

  /** Shortens the prompt; returns false after three times. */
  shrink(): boolean {
    return ++this.shrinks <= MAX_SHRINKS;
  }

  /** Leaves out the pictures of earlier messages, the next time the others; returns false if none are left. */
  leaveOutPictures(): boolean {
    const { pictures } = this;
    if (pictures.ofEarlier === 'sent') {
      pictures.ofEarlier = 'left out';
      if (this.earlier.some(({ messages }) => messages.some(hasPicture))) return true;
    }
    if (pictures.ofAsked === 'left out') return false;
    pictures.ofAsked = 'left out';
    return [toUser(this.asked), ...this.steps].some(hasPicture);
  }

  build(): Context {
    const fixed = estimateText(this.systemPrompt) + estimateText(JSON.stringify(this.tools));
    const room = Math.floor(this.budget * SHRINK ** this.shrinks) - fixed;
    const own = this.fitOwn(room).map(this.pictures.ofAsked === 'sent' ? keep : withoutPictures);
    const earlier = this.fitEarlier(room - estimateMessages(own));
    const messages = [...earlier.map(this.pictures.ofEarlier === 'sent' ? keep : withoutPictures), ...own];
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

function hasPicture({ content }: Message): boolean {
  return typeof content !== 'string' && content.some((part) => part.type === 'image');
}

function keep(message: Message): Message {
  return message;
}

function withoutPictures(message: Message): Message {
  if ((message.role !== 'user' && message.role !== 'toolResult') || typeof message.content === 'string') return message;
  const content = message.content.map((part): UserPart =>
    part.type === 'image' ? { type: 'text', text: PICTURE_LEFT_OUT } : part,
  );
  return { ...message, content };
}

/** Returns a message of a person or of the gateway. */
export function toUser(parts: readonly UserPart[]): Message {
  return { role: 'user', content: [...parts], timestamp: 0 };
}

/** Joins consecutive messages of people into one, since some models require alternating roles. */
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

/** Joins consecutive texts into one, a line each. */
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

/** Returns a single text as a string, since small servers do not support parts. */
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
