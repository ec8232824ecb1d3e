import { BoundedMap } from '../../core/cache/bounded-map.js';
import { Backoff } from '../../core/channels/kit/backoff.js';
import { ChannelDriver } from '../../core/channels/channel-driver.decorator.js';
import { DeliveryError, DriverError } from '../../core/channels/driver.js';
import type {
  ChannelLink,
  CheckedAccount,
  Driver,
  Part,
  Place,
  Reading,
  Target,
  Update,
  Updates,
} from '../../core/channels/driver.js';
import { toFault } from '../../core/channels/kit/faults.js';
import { withFiles, type FileRef } from '../../core/channels/kit/message-files.js';
import { PlatformClock } from '../../core/channels/kit/platform-clock.js';
import { nameAuthor, readPress } from '../../core/channels/kit/readings.js';
import { Clock } from '../../core/time/clock.js';
import { toDeletion, toPress, toReaction, type RawInteraction, type RawReaction } from './acts.js';
import { CatchUp, listChannels, type ListedGuild } from './catch-up.js';
import { discordSettings, type DiscordSettings } from './discord.settings.js';
import { unlessRefused } from '../platform/verdict.js';
import { MAX_FETCHED_BYTES, openFile } from './files.js';
import { Gateway, type Dispatch } from './gateway.js';
import { Guilds } from './guilds.js';
import { measure } from './markup.js';
import { MAX_LENGTH, MAX_SENT_BYTES, NONCE_MS, Outgoing } from './outgoing.js';
import { listFiles, readMessage } from './reading.js';
import { DiscordRest } from './rest.js';
import {
  findReasonToIgnore,
  mayBeInThread,
  THREADS,
  toUpdate,
  type Channel,
  type Message,
  type RawMessage,
  type RawPress,
  type Where,
} from './updates.js';

/** Sessions that stay for the operator of the 1,000 a day. When they are used up too, Discord resets the token. */
const SESSIONS_IN_RESERVE = 50;
/** Attempts to resume a session before another one is begun. */
const MAX_RESUMES = 6;
const MAX_CHANNELS = 10_000;

/** The fields of `READY` that are used. */
interface Ready {
  readonly session_id: string;
  readonly user: { readonly id: string };
}

const MAX_AUTHORS = 10_000;

/** The flags of an application whose bot may read messages: of a verified one, and of another. */
const MESSAGE_CONTENT = (1 << 18) | (1 << 19);

/** Drives the channel `discord`: a bot with a session of the Gateway, that sends by the REST API. */
@ChannelDriver({
  name: 'discord',
  settings: discordSettings,
  capabilities: {
    edits: true,
    buttons: true,
    media: { image: MAX_SENT_BYTES, audio: MAX_SENT_BYTES, file: MAX_SENT_BYTES },
    maxLength: MAX_LENGTH,
    lengthUnit: 'UTF-16 units',
    minEditIntervalMs: { direct: 1_200, group: 1_200 },
    repeatableMs: NONCE_MS,
  },
})
export class DiscordDriver implements Driver<DiscordSettings> {
  readonly measure = measure;
  private readonly over = new AbortController();
  private readonly guilds = new Guilds();
  private readonly channels = new BoundedMap<string, Channel>(MAX_CHANNELS);
  /** The authors of the newest messages, by their IDs. */
  private readonly authors = new BoundedMap<string, string>(MAX_AUTHORS);
  private link!: ChannelLink<DiscordSettings>;
  private rest!: DiscordRest;
  private outgoing!: Outgoing;
  /** Aborts when nothing new should be taken. */
  private intake!: AbortSignal;
  private botId = '';
  private session = '';
  private catchUp!: CatchUp;

  private readonly platformClock: PlatformClock;

  constructor(private readonly clock: Clock) {
    this.platformClock = new PlatformClock(clock);
  }

  async check({ bot_token: token, api_root: root }: ChannelLink<DiscordSettings>['settings']): Promise<CheckedAccount> {
    const rest = new DiscordRest({ token, root, clock: this.clock });
    const { username } = await rest.call<{ readonly username: string }>('GET', '/users/@me');
    const { flags = 0 } = await rest.call<{ readonly flags?: number }>('GET', '/applications/@me');
    const remark = 'The intent Message Content is off: turn it on, on the page Bot of the Developer Portal.';
    return { name: username, remarks: (flags & MESSAGE_CONTENT) === 0 ? [remark] : [] };
  }

  async start(link: ChannelLink<DiscordSettings>, signal: AbortSignal): Promise<void> {
    const { clock } = this;
    const { bot_token: token, api_root: root } = link.settings;
    this.link = link;
    this.intake = AbortSignal.any([signal, this.over.signal]);
    this.rest = new DiscordRest({ token, root, clock, noteTime: (time) => this.noteTime(time) });
    this.outgoing = new Outgoing(this.rest, link, this.platformClock);
    this.catchUp = this.makeCatchUp();
    const url = await this.findGateway(root);
    const opened = Promise.withResolvers<void>();
    const listening = this.listen(url, this.intake, opened.resolve);
    await Promise.race([opened.promise, listening]);
    void listening.catch((error: unknown) => link.fail(error));
  }

  read([update]: Updates): Reading | Promise<Reading> {
    if ('data' in (update.raw as object)) {
      const { data, name, isAdmin } = update.raw as RawPress;
      return readPress(data, update.place.thread, nameAuthor(name, isAdmin));
    }
    const reading = readMessage(update, this.botId);
    const { message } = update.raw as RawMessage;
    const files = listFiles(message);
    if (reading.kind !== 'message' || files.length === 0) return reading;
    const open = (file: FileRef) => openFile(file, message, this.rest);
    return withFiles(reading, files, this.link, { open, maxBytes: MAX_FETCHED_BYTES });
  }

  send(part: Part): Promise<string> {
    return this.outgoing.send(part);
  }

  edit(ref: string, part: Part): Promise<void> {
    return this.outgoing.edit(ref, part);
  }

  remove(ref: string, place: Place): Promise<void> {
    return this.outgoing.remove(ref, place);
  }

  lookUp(part: Part): Promise<{ readonly ref: string } | 'absent' | undefined> {
    return this.outgoing.lookUp(part, this.botId);
  }

  findPlace(target: Target): Promise<Place | undefined> {
    return this.outgoing.findPlace(target);
  }

  async showTyping({ chat }: Place): Promise<void> {
    await this.rest.call('POST', `/channels/${chat}/typing`);
  }

  async stop(): Promise<void> {
    this.over.abort();
  }

  private async findGateway(root: string): Promise<string> {
    const { url, session_start_limit: limit } = await this.rest.call<{
      readonly url: string;
      readonly session_start_limit: { readonly remaining: number; readonly reset_after: number };
    }>('GET', '/gateway/bot');
    if (limit.remaining <= SESSIONS_IN_RESERVE) {
      const minutes = Math.ceil(limit.reset_after / 60_000);
      throw new DriverError('misconfigured', `the bot has started too often; Discord counts again in ${minutes} min`);
    }
    if (root.startsWith('https:') && !url.startsWith('wss:'))
      throw new DriverError('misconfigured', 'the Gateway that api_root names is not encrypted');
    return url;
  }

  /** Takes what the Gateway sends until the signal aborts. @throws DriverError when the session has ended */
  private async listen(url: string, signal: AbortSignal, onOpen: () => void): Promise<void> {
    const { clock, link } = this;
    const backoff = new Backoff(clock, signal);
    let attempts = 0;
    const gateway = new Gateway(
      {
        token: link.settings.bot_token,
        clock,
        log: link.log,
        signal,
        take: (dispatches) => this.take(dispatches),
        onOpen: () => {
          attempts = 0;
          backoff.reset();
          link.degrade(this.catchUp.gap);
          onOpen();
        },
      },
      url,
    );
    while (!signal.aborted) {
      await gateway.run();
      if (signal.aborted) return;
      if (!gateway.isResumable || ++attempts > MAX_RESUMES)
        throw new DriverError('unreachable', 'the connection to Discord has ended');
      link.degrade('the connection was lost; it is resumed');
      await backoff.wait();
    }
  }

  /** Takes events in their order. When it resolves, each is stored or ignored. */
  private async take(dispatches: readonly Dispatch[]): Promise<void> {
    const updates: Update[] = [];
    for (const dispatch of dispatches) {
      try {
        updates.push(...(await this.sortEvent(dispatch)));
      } catch (error) {
        if (error instanceof DriverError) this.link.fail(error);
        if (error instanceof DriverError || error instanceof DeliveryError) throw error;
        this.link.log.warn({ event: dispatch.t, error }, 'an event could not be understood; it is left out');
      }
    }
    if (updates.length > 0) await this.link.receive(updates);
  }

  private async sortEvent({ t, s, d }: Dispatch): Promise<readonly Update[]> {
    const now = this.platformClock.now();
    switch (t) {
      case 'READY':
        this.botId = (d as Ready).user.id;
        this.session = (d as Ready).session_id;
        await this.readMissed(() => this.catchUp.begin());
        return [];
      case 'GUILD_CREATE': {
        const guild = d as ListedGuild;
        this.guilds.note(t, d, this.botId);
        for (const channel of listChannels(guild)) this.channels.set(channel.id, channel);
        await this.readMissed(() => this.catchUp.readGuild(guild));
        return [];
      }
      case 'MESSAGE_CREATE':
        await this.meet(d as Message);
        return this.sort(d as Message, false);
      case 'MESSAGE_UPDATE':
        return this.sort(d as Message, true);
      case 'MESSAGE_DELETE': {
        const message = d as Message;
        const author = this.authors.get(message.id);
        return author === undefined ? [] : [toDeletion(message, author, await this.findParent(message), now)];
      }
      case 'MESSAGE_REACTION_ADD':
      case 'MESSAGE_REACTION_REMOVE': {
        const reaction = d as RawReaction;
        if (reaction.user_id === this.botId) return [];
        const action = t === 'MESSAGE_REACTION_ADD' ? 'added' : 'removed';
        return [toReaction(reaction, action, await this.findParent(reaction), `${this.session}:${s}`, now)];
      }
      case 'INTERACTION_CREATE': {
        const interaction = d as RawInteraction;
        await this.confirmPress(interaction);
        return [toPress(interaction, await this.findParent(interaction)) ?? []].flat();
      }
      default:
        this.guilds.note(t, d, this.botId);
        return [];
    }
  }

  /** Discord shows an error to the person who has pressed unless it gets a response within 3 s. */
  private async confirmPress({ id, token }: RawInteraction): Promise<void> {
    try {
      await this.rest.call('POST', `/interactions/${id}/${token}/callback`, { type: 6 });
    } catch (error) {
      if (error instanceof DriverError) throw error;
      this.link.log.warn({ error }, 'the press of a button could not be confirmed');
    }
  }

  /** Reads what came before the first message of a direct chat. */
  private async meet(message: Message): Promise<void> {
    if (message.guild_id === undefined && message.author.id !== this.botId)
      await this.readMissed(() => this.catchUp.readDirect(message));
  }

  /** @throws DriverError when what was missed could not be stored: only another session gets as far as that again */
  private async readMissed(read: () => Promise<void>): Promise<void> {
    const before = this.catchUp.gap;
    await read().catch((error: unknown) => {
      throw toFault(error);
    });
    if (this.catchUp.gap !== before) this.link.degrade(this.catchUp.gap);
  }

  private makeCatchUp(): CatchUp {
    const { rest, link, clock } = this;
    const receive = async (messages: readonly Message[]) => {
      const updates: Update[] = [];
      for (const message of messages) updates.push(...(await this.sort(message, false)));
      if (updates.length > 0) await link.receive(updates);
    };
    return new CatchUp({
      rest,
      link,
      clock,
      signal: this.intake,
      receive,
      findChannel: (id) => this.findChannel(id),
      openDirect: (person) => this.outgoing.openDirect(person),
    });
  }

  /** Decides what a message is: an update, or none. */
  private async sort(message: Message, isEdit: boolean): Promise<Update[]> {
    const isOwn = message.author?.id === this.botId;
    const reason = isOwn ? 'its own message' : findReasonToIgnore(message, isEdit);
    if (reason !== undefined) {
      this.link.log.debug({ message_id: message.id, reason }, 'a message was ignored');
      return [];
    }
    this.authors.set(message.id, message.author.id);
    return [toUpdate(message, isEdit, await this.findParent(message), this.guilds.find(message.guild_id))];
  }

  /** Returns the channel of the thread in which something happened. */
  private async findParent(where: Where): Promise<string | undefined> {
    const channel = mayBeInThread(where) ? await this.findChannel(where.channel_id) : undefined;
    return channel && THREADS.has(channel.type) ? (channel.parent_id ?? undefined) : undefined;
  }

  /** Returns a channel; undefined for one that the bot may not see. @throws DeliveryError, DriverError */
  private async findChannel(id: string): Promise<Channel | undefined> {
    const known = this.channels.get(id);
    if (known) return known;
    const channel = await unlessRefused(this.rest.call<Channel>('GET', `/channels/${id}`), undefined);
    if (channel) this.channels.set(id, channel);
    return channel;
  }

  private noteTime(time: number): void {
    this.platformClock.note(time);
    this.link.noteTime(time);
  }
}
