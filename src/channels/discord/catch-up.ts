import { DriverError, type ChannelLink, type Place } from '../../core/channels/driver.js';
import { patiently, readChats } from '../../core/channels/kit/catch-up.js';
import type { Clock } from '../../core/time/clock.js';
import { unlessRefused, type Codes } from '../platform/verdict.js';
import type { DiscordRest } from './rest.js';
import { THREADS, toSnowflake, toTime, type Channel, type Message } from './updates.js';

/** Messages of one response, and responses of one chat: what was missed before is left out. */
const PAGE_SIZE = 100;
const MAX_PAGES = 2;
/** Number of chats that are read at the same time. */
const PARALLEL = 4;
/** Chats of a session that are read although nothing was received there before: those with the newest messages. */
const MAX_UNKNOWN = 50;
/** People whose direct chats are opened after a start. Discord objects to more in a short time. */
const MAX_PEOPLE = 20;
/** Codes for chats that the bot cannot see any more: nothing of them is missing. */
const GONE: Codes = new Set([10_003, 50_001]);
/** Kinds of channel that have threads and no messages. */
const FORUMS: ReadonlySet<number> = new Set([15, 16]);

/** A channel of a server as an event has it, and a direct chat as Discord opens it. */
export interface ListedChannel extends Channel {
  readonly id: string;
  readonly last_message_id?: string | null;
}

/** A server as `GUILD_CREATE` has it. */
export interface ListedGuild {
  readonly id: string;
  readonly joined_at?: string;
  readonly channels?: readonly ListedChannel[];
  readonly threads?: readonly ListedChannel[];
}

/** Returns the channels and threads of a server. */
export function listChannels({ id, channels = [], threads = [] }: ListedGuild): ListedChannel[] {
  return [...channels, ...threads].map((channel) => ({ ...channel, guild_id: id }));
}

/** The parts of a {@link CatchUp}. */
export interface CatchUpOptions {
  readonly rest: DiscordRest;
  readonly link: Pick<ChannelLink, 'listChats' | 'closeGap' | 'listPeople' | 'admits' | 'answersSince' | 'log'>;
  readonly clock: Clock;
  /** Aborts when nothing new should be taken: no further call is made then. */
  readonly signal: AbortSignal;
  readonly findChannel: (id: string) => Promise<Channel | undefined>;
  /** Opens the direct chat with a person. @throws DeliveryError, DriverError */
  readonly openDirect: (person: string) => Promise<ListedChannel | undefined>;
  /** Resolves when the messages are stored or ignored. */
  readonly receive: (messages: readonly Message[]) => Promise<void>;
}

/** A chat that may have messages which were not received. */
interface Missed {
  readonly place: Pick<Place, 'chat' | 'isGroup'>;
  /** In Unix milliseconds. */
  readonly since: number;
  /** The ID of the first message that was received. */
  readonly before?: string;
}

/**
 * Reads what was written while no session was open: Discord keeps no queue for a bot. Chats in which nothing was received
 * before are read where Discord names their newest message: channels of servers, and direct chats of people who may write.
 * Those of other people cannot be listed: what they have written is read with their next message.
 */
export class CatchUp {
  /** Chats that were read, or in which something is received. */
  private readonly known = new Set<string>();
  private incomplete = 0;
  private room = MAX_UNKNOWN;

  constructor(private readonly options: CatchUpOptions) {}

  /** The part that could not be read; undefined if all could. */
  get gap(): string | undefined {
    const { incomplete } = this;
    return incomplete === 0 ? undefined : `messages of ${incomplete} chats that came before the start are missing`;
  }

  /** Reads the chats that were used before, and those of people who may write. @throws DriverError, what `receive` throws */
  async begin(): Promise<void> {
    const { link } = this.options;
    const chats = await link.listChats();
    await this.readAll(chats);
    const people = (await link.listPeople()).filter((id) => /^\d+$/.test(id));
    if (people.length > MAX_PEOPLE) link.log.info({ people: people.length }, 'not all direct chats are looked at');
    const direct: ListedChannel[] = [];
    for (const person of people.slice(0, MAX_PEOPLE)) direct.push(...(await this.openDirect(person)));
    await this.readUnknown(direct, link.answersSince, () => true);
  }

  /** Reads the channels and threads of a server. @throws as {@link begin} */
  async readGuild(guild: ListedGuild): Promise<void> {
    const { link } = this.options;
    // Messages from before the bot came are not for it.
    const since = Math.max(link.answersSince, Date.parse(guild.joined_at ?? '') || 0);
    const admits = ({ id, type, parent_id: parent }: ListedChannel) =>
      !FORUMS.has(type) && link.admits({ groupId: THREADS.has(type) ? (parent ?? id) : id });
    await this.readUnknown(listChannels(guild), since, admits);
  }

  /** Reads what came before the first message of a direct chat. @throws as {@link begin} */
  async readDirect({ channel_id: chat, id: before, author }: Message): Promise<void> {
    const { link } = this.options;
    if (!this.known.has(chat) && link.admits({ sender: author.id }))
      await this.readAll([{ place: { chat }, since: link.answersSince, before }]);
  }

  private async openDirect(person: string): Promise<readonly ListedChannel[]> {
    try {
      return [await this.options.openDirect(person)].flatMap((channel) => channel ?? []);
    } catch (error) {
      if (error instanceof DriverError) throw error;
      this.options.link.log.warn({ error }, 'a direct chat could not be opened');
      this.incomplete++;
      return [];
    }
  }

  /** Reads those of the channels that are not known and have messages since a time. */
  private async readUnknown(
    channels: readonly ListedChannel[],
    since: number,
    isWanted: (channel: ListedChannel) => boolean,
  ): Promise<void> {
    const used = channels
      .map((channel) => ({ channel, at: toTime(channel.last_message_id ?? '0') }))
      .filter(({ channel, at }) => at >= since && !this.known.has(channel.id) && isWanted(channel))
      .toSorted((a, b) => b.at - a.at);
    const read = used.slice(0, this.room);
    this.room -= read.length;
    this.incomplete += used.length - read.length;
    await this.readAll(
      read.map(({ channel: { id, guild_id: guild } }) => ({
        place: { chat: id, isGroup: guild !== undefined },
        since,
      })),
    );
  }

  private async readAll(all: readonly Missed[]): Promise<void> {
    const { link, signal, clock } = this.options;
    for (const { place } of all) this.known.add(place.chat);
    this.incomplete += await readChats(all, {
      link,
      signal,
      parallel: PARALLEL,
      chatOf: ({ place }) => place.chat,
      read: (missed) =>
        unlessRefused(
          patiently(() => this.readPages(missed), clock, signal),
          true,
          GONE,
        ),
    });
  }

  private async readPages({ place, since, before }: Missed): Promise<boolean> {
    const { rest, receive, findChannel } = this.options;
    const { type, guild_id: guild } = (place.isGroup && (await findChannel(place.chat))) || {};
    const where = {
      ...(type !== undefined && { channel_type: type }),
      ...(guild !== undefined && { guild_id: guild }),
    };
    let after = toSnowflake(since) - 1n;
    for (let page = 0; page < MAX_PAGES; page++) {
      const query = `after=${after < 0n ? 0n : after}&limit=${PAGE_SIZE}`;
      const messages = await rest.call<Message[]>('GET', `/channels/${place.chat}/messages?${query}`);
      const sorted = messages.toSorted((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
      const missed = before === undefined ? sorted : sorted.filter(({ id }) => BigInt(id) < BigInt(before));
      await receive(missed.map((message) => ({ ...message, ...where })));
      if (messages.length < PAGE_SIZE) return true;
      after = BigInt(sorted.at(-1)?.id ?? after);
    }
    return false;
  }
}
