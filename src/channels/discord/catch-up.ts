import { DeliveryError, type ChannelLink, type RecentChat } from '../../core/channels/driver.js';
import type { Clock } from '../../core/time/clock.js';
import { RefusedCallError, type DiscordRest } from './rest.js';
import { toSnowflake, type Channel, type Message } from './updates.js';

/** Messages of one response, and responses of one chat: what was missed before is left out. */
const PAGE_SIZE = 100;
const MAX_PAGES = 2;
/** Number of chats that are read at the same time. */
const PARALLEL = 4;
const MAX_ATTEMPTS = 4;
/** Pause before a call is repeated, in milliseconds. */
const PAUSE_MS = 1_000;
/** Codes for chats that the bot cannot see any more: nothing of them is missing. */
const GONE = new Set([10_003, 50_001]);

/** The parts of a {@link CatchUp}. */
export interface CatchUpOptions {
  readonly rest: DiscordRest;
  readonly link: Pick<ChannelLink, 'listChats' | 'log'>;
  readonly clock: Clock;
  /** Aborts when nothing new should be taken: no further call is made then. */
  readonly signal: AbortSignal;
  readonly findChannel: (id: string) => Promise<Channel | undefined>;
  /** Resolves when the messages are stored or ignored. */
  readonly receive: (messages: readonly Message[]) => Promise<void>;
}

/** Reads what was written while no session was open: Discord keeps no queue for a bot. */
export class CatchUp {
  constructor(private readonly options: CatchUpOptions) {}

  /** Resolves with what could not be read; undefined when nothing is missing. @throws DriverError, what `receive` throws */
  async run(): Promise<string | undefined> {
    const { link, signal } = this.options;
    const chats = [...(await link.listChats())];
    let incomplete = 0;
    const work = async () => {
      for (let chat = chats.pop(); chat && !signal.aborted; chat = chats.pop())
        if (!(await this.readChat(chat))) incomplete++;
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    return incomplete === 0 ? undefined : `messages of ${incomplete} chats that came before the start are missing`;
  }

  /** Resolves with whether all of a chat was read. */
  private async readChat(chat: RecentChat): Promise<boolean> {
    const { clock, link, signal } = this.options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.readPages(chat);
      } catch (error) {
        if (!(error instanceof DeliveryError)) throw error;
        if (error instanceof RefusedCallError && GONE.has(error.code)) return true;
        link.log.warn({ error, chat: chat.place.chat }, 'messages that came before the start could not be read');
        if (error.outcome === 'refused' || attempt === MAX_ATTEMPTS) return false;
        await clock.sleep(error.retryAfterMs ?? PAUSE_MS, signal);
        if (signal.aborted) return false;
      }
    }
  }

  private async readPages({ place, messageId, since }: RecentChat): Promise<boolean> {
    const { rest, receive, findChannel } = this.options;
    const { type, guild_id: guild } = (place.isGroup && (await findChannel(place.chat))) || {};
    const where = {
      ...(type !== undefined && { channel_type: type }),
      ...(guild !== undefined && { guild_id: guild }),
    };
    let after = max(BigInt(/\d+/.exec(messageId)?.[0] ?? 0), toSnowflake(since));
    for (let page = 0; page < MAX_PAGES; page++) {
      const query = `after=${after}&limit=${PAGE_SIZE}`;
      const messages = await rest.call<Message[]>('GET', `/channels/${place.chat}/messages?${query}`);
      const sorted = messages.toSorted((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
      await receive(sorted.map((message) => ({ ...message, ...where })));
      if (messages.length < PAGE_SIZE) return true;
      after = BigInt(sorted.at(-1)?.id ?? after);
    }
    return false;
  }
}

const max = (a: bigint, b: bigint) => (a > b ? a : b);
