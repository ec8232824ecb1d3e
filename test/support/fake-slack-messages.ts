/** The parameters of a call, or the fields of an event. */
export type Parameters = Readonly<Record<string, unknown>>;

/** A block of a post, with the buttons that it may have. */
interface Block {
  readonly elements?: readonly { readonly text: { readonly text: string }; readonly value: string }[];
}

/** A post as the history has it. */
export interface SlackMessage {
  readonly type: 'message';
  readonly channel: string;
  readonly user: string;
  readonly bot_id?: string;
  readonly ts: string;
  text: string;
  blocks?: readonly Block[];
  readonly thread_ts?: string;
  metadata?: object;
  /** True while text can be appended. */
  isStreaming?: boolean;
  readonly files?: readonly { readonly id: string; readonly name: string; readonly bytes?: Buffer }[];
  isDeleted: boolean;
}

/**
 * Returns a page of a history: of a chat without the replies in threads, newest first; of a thread with its first post,
 * oldest first.
 */
export function page(all: readonly SlackMessage[], parameters: Parameters): object {
  const { channel, ts: thread, oldest = '0', limit = '100', cursor = '0' } = parameters;
  const isInRange = (one: SlackMessage) => Number(one.ts) > Number(oldest) || one.ts === thread;
  const isWanted = (one: SlackMessage) =>
    thread === undefined
      ? one.thread_ts === undefined || one.thread_ts === one.ts
      : one.thread_ts === thread || one.ts === thread;
  const found = all.filter((one) => one.channel === channel && !one.isDeleted && isInRange(one) && isWanted(one));
  found.sort((a, b) => (Number(a.ts) - Number(b.ts)) * (thread === undefined ? -1 : 1));
  const end = Number(cursor) + Number(limit);
  const messages = found.slice(Number(cursor), end).map(({ metadata, ...message }) => ({
    ...message,
    // A history does not name its chat.
    channel: undefined,
    ...countReplies(all, message.ts),
    ...(parameters['include_all_metadata'] === 'true' && metadata && { metadata }),
  }));
  const hasMore = end < found.length;
  return { messages, has_more: hasMore, ...(hasMore && { response_metadata: { next_cursor: String(end) } }) };
}

/** Returns the values of the buttons below a post, by their texts. */
export function buttonsOf({ blocks = [] }: SlackMessage): ReadonlyMap<string, string> {
  return new Map(blocks.flatMap(({ elements = [] }) => elements.map(({ text, value }) => [text.text, value])));
}

function countReplies(all: readonly SlackMessage[], ts: string): object {
  const replies = all.filter((one) => one.thread_ts === ts && one.ts !== ts && !one.isDeleted);
  return replies.length === 0 ? {} : { reply_count: replies.length, latest_reply: replies.at(-1)?.ts };
}

/** Returns what people see of a text, with its marks. */
export function toVisible(text: string): string {
  return text
    .replaceAll(/<[^<>|]*\|([^<>]*)>/g, '$1')
    .replaceAll(/<([^<>|]*)>/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
