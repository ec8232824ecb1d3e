import type { ChannelLink, Part, RecentChat } from '../../core/channels/driver.js';
import { fileOf } from '../../core/channels/kit/message-files.js';
import { isBeginning, toPlainText } from '../../core/channels/kit/text-length.js';
import { patiently, readChats } from '../../core/channels/kit/catch-up.js';
import type { Clock } from '../../core/time/clock.js';
import { findSentFile } from './files.js';
import type { Bot } from './events.js';
import { unescape } from './markup.js';
import { PART_EVENT } from './outgoing.js';
import { toRaw, toRaws, toText, type Raw } from '../../core/channels/kit/raw.js';
import { unlessRefused, type Codes } from '../platform/verdict.js';
import type { WebApi } from './web-api.js';

/** Messages that are read of one chat after a start. */
const MAX_MESSAGES = 200;
/** Threads of one chat that are looked at after a start: those used last. */
const MAX_THREADS = 20;
const PAGE_SIZE = 100;
/** Pages in which a part is looked for. */
const MAX_PAGES = 5;
/** A part may be in the history a little before its creation by the clock here, in milliseconds. */
const CLOCK_TOLERANCE_MS = 120_000;

/** The refusal of a thread that no longer exists. */
const GONE: Codes = new Set(['thread_not_found']);

/** Where a page of the history is read. */
interface Range {
  readonly channel: string;
  readonly thread?: string | undefined;
  /** As a time of Slack. */
  readonly after: number;
  readonly withMetadata?: boolean;
}

/** The posts of a chat that were not received; `isComplete` if they are all of them. */
export interface Missed {
  readonly posts: readonly Raw[];
  readonly isComplete: boolean;
}

/** Reads what a chat, or a thread, has: newest first in a chat, oldest first in a thread. */
export class History {
  constructor(
    private readonly api: WebApi,
    private readonly clock: Clock,
    private readonly bot: Bot,
  ) {}

  /**
   * Finds a part that may have been sent.
   * @returns the ref of its message, `absent` if Slack does not have it, undefined if there is too much to read
   * @throws DeliveryError, DriverError
   */
  async find(part: Part): Promise<{ readonly ref: string } | 'absent' | undefined> {
    const { thread } = part.place;
    const inThread =
      thread === undefined ? 'absent' : await unlessRefused(this.findIn(part, thread), 'absent' as const, GONE);
    // A part whose thread Slack has refused stands in the chat.
    return inThread === 'absent' ? this.findIn(part, undefined) : inThread;
  }

  private async findIn(
    part: Part,
    thread: string | undefined,
  ): Promise<{ readonly ref: string } | 'absent' | undefined> {
    const { chat } = part.place;
    const after = Number(toTs(part.createdAt - CLOCK_TOLERANCE_MS));
    const file = fileOf(part);
    const streamed: Raw[] = [];
    let pages = 0;
    for await (const messages of this.pages({ channel: chat, thread, after, withMetadata: true })) {
      for (const message of messages) {
        const ref = file ? findSentFile(part, message['files']) : isPart(message, part) && toText(message['ts']);
        if (ref) return { ref };
        if (thread !== undefined && this.isUnmarked(message)) streamed.push(message);
      }
      if (++pages === MAX_PAGES) return undefined;
    }
    return streamed.length === 0 ? 'absent' : findStreamed(part, streamed);
  }

  /** Returns whether a message of the bot has no metadata: those that grow get them at the end. */
  private isUnmarked({ user, metadata, files }: Raw): boolean {
    return user === this.bot.user && toRaw(metadata)['event_type'] !== PART_EVENT && files === undefined;
  }

  /**
   * Reads what is missing of a chat and its threads: oldest first, the newest of them if there are too many. Waits as long as
   * Slack wants.
   * @param known the chat and the threads of it, at least one
   * @throws DeliveryError when it cannot be read now; DriverError
   */
  async readMissed(known: readonly RecentChat[], signal: AbortSignal): Promise<Missed> {
    const [{ place, since }] = known as [RecentChat];
    const range = { channel: place.chat, after: Number(toTs(since)) };
    const inChat = await this.collect(range, signal);
    const used = inChat.posts.flatMap(({ ts, reply_count: count }) => (count ? [toText(ts)] : []));
    const all = [inChat];
    for (const thread of new Set([...used, ...known.map((one) => one.place.thread)]))
      if (thread !== undefined) all.push(await this.collect({ ...range, thread }, signal));
    const missed = new Map(all.flatMap(({ posts }) => posts.map((post) => [toText(post['ts']) ?? '', post])));
    return {
      posts: [...missed.values()].sort((a, b) => Number(a['ts']) - Number(b['ts'])),
      isComplete: all.every(({ isComplete }) => isComplete),
    };
  }

  private async collect(range: Range, signal: AbortSignal): Promise<Missed> {
    const found: Raw[] = [];
    for await (const page of this.pages(range, signal)) {
      found.push(...page);
      if (found.length > MAX_MESSAGES) break;
    }
    // A thread comes with its first post.
    const posts = found.filter(({ ts }) => Number(ts) > range.after);
    return { posts: posts.slice(0, MAX_MESSAGES), isComplete: posts.length <= MAX_MESSAGES };
  }

  private async *pages(range: Range, signal?: AbortSignal): AsyncGenerator<readonly Raw[]> {
    const { channel, thread, after, withMetadata } = range;
    const method = thread === undefined ? 'conversations.history' : 'conversations.replies';
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const parameters = {
        channel,
        ts: thread,
        oldest: after.toFixed(6),
        limit: PAGE_SIZE,
        ...(cursor !== '' && { cursor }),
        ...(withMetadata && { include_all_metadata: true }),
      };
      const call = () => this.api.call(method, parameters);
      const result = await (signal ? patiently(call, this.clock, signal) : call());
      yield toRaws(result['messages']);
      cursor = toText(toRaw(result['response_metadata'])['next_cursor']);
    }
  }
}

/** The parts of a {@link catchUp}. */
export interface CatchUpOptions {
  readonly history: History;
  readonly link: Pick<ChannelLink, 'closeGap' | 'log'>;
  /** As they were listed before anything was received. */
  readonly chats: readonly RecentChat[];
  /** Takes the posts of one chat, oldest first. */
  readonly take: (posts: readonly Raw[]) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Hands over what was posted while nothing was connected, chat by chat.
 * @returns the number of chats that could not be read, or not whole
 * @throws DriverError; what `take` throws
 */
export function catchUp({ history, link, chats, take, signal }: CatchUpOptions): Promise<number> {
  const known = [...Map.groupBy(chats, ({ place }) => place.chat)];
  return readChats(known, {
    link,
    signal,
    chatOf: ([channel]) => channel,
    async read([channel, threads]) {
      // Threads without posts for longer are not looked at.
      const newest = threads.toSorted((a, b) => b.sentAt - a.sentAt).slice(0, MAX_THREADS);
      const { posts, isComplete } = await history.readMissed(newest, signal);
      await take(posts.map((post) => ({ ...post, channel })));
      return isComplete;
    },
  });
}

/** Finds the message of a part that grows among those without metadata, by its text; undefined if it may be one of them. */
function findStreamed({ texts }: Part, messages: readonly Raw[]): { readonly ref: string } | undefined {
  const wanted = toPlainText(texts);
  const found = messages.find(({ text }) => isBeginning(unescape(toText(text) ?? ''), wanted));
  const ref = toText(found?.['ts']);
  return ref === undefined ? undefined : { ref };
}

function isPart(message: Raw, { id }: Part): boolean {
  const { event_type: type, event_payload: payload } = toRaw(message['metadata']);
  return type === PART_EVENT && toRaw(payload)['part'] === id;
}

function toTs(time: number): string {
  return (Math.max(0, time) / 1_000).toFixed(6);
}
