import { BoundedMap } from '../../core/cache/bounded-map.js';
import { ChannelDriver } from '../../core/channels/channel-driver.decorator.js';
import type {
  ChannelLink,
  CheckedAccount,
  Driver,
  Part,
  Place,
  Reading,
  RecentChat,
  Target,
  Update,
  Updates,
} from '../../core/channels/driver.js';
import { DriverError } from '../../core/channels/driver.js';
import { withFiles } from '../../core/channels/kit/message-files.js';
import { Clock } from '../../core/time/clock.js';
import { SlackAccounts } from './accounts.js';
import { findTeam, sortEvent, sortPost, type Bot, type RawUpdate, type Sorted, type SortOptions } from './events.js';
import { fileIdOf, openFile, sendFile, toFileRefs } from './files.js';
import { catchUp, History } from './history.js';
import { MAX_LENGTH, measure } from './markup.js';
import { callFor, FROZEN, toMessage, toTarget } from './outgoing.js';
import { People } from './people.js';
import { toRaw, toText, type Raw } from '../../core/channels/kit/raw.js';
import { understand } from '../../core/channels/kit/readings.js';
import { readUpdate } from './reading.js';
import { slackSettings, type SlackSettings } from './slack.settings.js';
import { SocketMode } from './socket-mode.js';
import { STREAMING, Streams } from './streams.js';
import { TypingStatus } from './typing-status.js';
import { describeMissing } from './scopes.js';
import { WebApi } from './web-api.js';
import { isRefused, toRef } from '../platform/verdict.js';

/** Slack waits 3 s for an acknowledgement: what comes while the driver catches up waits so long at most, in milliseconds. */
const CATCH_UP_PATIENCE_MS = 2_000;
/** Number of posts that are remembered by the IDs that clients give them. */
const MAX_POSTS = 5_000;
const MAX_CONTINUED = 1_000;

/** Slack's limit of a file, in bytes. */
const MAX_FILE_BYTES = 1_000_000_000;

/** Drives the channel `slack`: an app that connects to Slack, or to which Slack delivers. */
@ChannelDriver({
  name: 'slack',
  settings: slackSettings,
  capabilities: {
    edits: true,
    maxLength: MAX_LENGTH,
    lengthUnit: 'bytes',
    minEditIntervalMs: { direct: 1_200, group: 1_200 },
    editsPerMinute: 50,
    buttons: true,
    media: { image: MAX_FILE_BYTES, audio: MAX_FILE_BYTES, file: MAX_FILE_BYTES },
  },
})
export class SlackDriver implements Driver<SlackSettings> {
  readonly measure = measure;
  private readonly over = new AbortController();
  /** The IDs of posts by those that the clients of people gave them: one post may come with two times. */
  private readonly posts = new BoundedMap<string, string>(MAX_POSTS);
  /** The messages that Slack does not change any more, with the ID of the one in their place. */
  private readonly continued = new BoundedMap<string, string>(MAX_CONTINUED);
  private readonly troubles = new Map<string, string>();
  private link!: ChannelLink<SlackSettings>;
  private api!: WebApi;
  private bot!: Bot;
  private people!: People;
  private history!: History;
  private typing!: TypingStatus;
  private streams!: Streams;
  private sockets: SocketMode | undefined;
  private caughtUp: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly clock: Clock,
    private readonly accounts: SlackAccounts,
  ) {}

  async check(settings: ChannelLink<SlackSettings>['settings']): Promise<CheckedAccount> {
    const { bot_token: token, app_token: appToken, api_root: root } = settings;
    const api = new WebApi({ token, root, clock: this.clock });
    const { body, headers } = await api.request('auth.test');
    if (appToken !== undefined) await api.call('apps.connections.open', {}, appToken).catch(nameAppToken);
    const { team, user } = toRaw(body);
    const remarks = describeMissing(headers.get('x-oauth-scopes'));
    return { name: `${toText(user) ?? ''} in ${toText(team) ?? ''}`, remarks };
  }

  async start(link: ChannelLink<SlackSettings>, signal: AbortSignal): Promise<void> {
    const { clock } = this;
    const { bot_token: token, app_token: appToken, signing_secret: signingSecret, api_root: root } = link.settings;
    this.link = link;
    this.api = new WebApi({ token, root, clock, noteTime: (time) => link.noteTime(time) });
    this.people = new People(this.api, clock);
    this.typing = new TypingStatus(this.api, clock);
    this.bot = await this.identify();
    this.history = new History(this.api, clock, this.bot);
    this.streams = new Streams({ api: this.api, clock, log: link.log, bot: this.bot });
    const chats = await link.listChats();
    const intake = AbortSignal.any([signal, this.over.signal]);
    const { team } = this.bot;
    this.accounts.add(link.account, { team, signingSecret, take: (event) => this.take(event) }, intake);
    const caughtUp = Promise.withResolvers<void>();
    this.caughtUp = Promise.race([caughtUp.promise, clock.sleep(CATCH_UP_PATIENCE_MS, intake)]);
    if (appToken !== undefined) await this.connect(appToken, intake);
    void this.catchUp(chats, intake).finally(() => caughtUp.resolve());
  }

  read([update]: Updates): Promise<Reading> {
    return this.readOne(update);
  }

  async send(part: Part): Promise<string> {
    const ref = (await sendFile(part, this.api, this.link)) ?? (await this.begin(part));
    // Slack takes the status of a thread back by itself when the bot posts there.
    this.typing.forget(part.place);
    return ref;
  }

  async edit(ref: string, part: Part): Promise<void> {
    if (fileIdOf(ref) !== undefined) return;
    const next = this.continued.get(ref);
    if (next !== undefined) return this.edit(next, toContinuation(part));
    if (await this.streams.append(ref, part)) return;
    try {
      await this.update(ref, part);
    } catch (error) {
      if (isRefused(error, FROZEN)) return this.goOn(ref, toContinuation(part));
      // An earlier run has begun its stream.
      if (!isRefused(error, STREAMING)) throw error;
      await this.streams.end(ref, part.place);
      await this.update(ref, part);
    }
  }

  isOpen(ref: string): boolean {
    return this.streams.isOpen(ref);
  }

  private async update(ref: string, part: Part): Promise<void> {
    await callFor(part, this.link.log, (attempt) =>
      this.api.call('chat.update', { channel: attempt.place.chat, ts: ref, blocks: [], ...toMessage(part, attempt) }),
    );
  }

  /** Posts a part, as a stream where more is to come. */
  private async begin(part: Part): Promise<string> {
    return (await this.streams.start(part)) ?? this.post(part);
  }

  /** Sends a part again, since Slack does not change its message any more. An earlier run may have done so. */
  private async goOn(ref: string, part: Part): Promise<void> {
    const found = await this.history.find(part);
    const isThere = typeof found === 'object';
    const next = isThere ? found.ref : await this.post(part);
    this.continued.set(ref, next);
    if (isThere) await this.edit(next, part);
  }

  async remove(ref: string, { chat }: Place): Promise<void> {
    const file = fileIdOf(ref);
    if (file !== undefined) await this.api.call('files.delete', { file });
    else await this.api.call('chat.delete', { channel: chat, ts: ref });
  }

  lookUp(part: Part): Promise<{ readonly ref: string } | 'absent' | undefined> {
    return this.history.find(part);
  }

  async findPlace(target: Target): Promise<Place | undefined> {
    if ('groupId' in target) return { chat: target.groupId, thread: target.threadId, isGroup: true };
    const { channel } = await this.api.call('conversations.open', { users: target.sender.split('/').at(-1) });
    const chat = toText(toRaw(channel)['id']);
    return chat === undefined ? undefined : { chat };
  }

  showTyping(place: Place): Promise<void> {
    return this.typing.show(place);
  }

  hideTyping(place: Place): Promise<void> {
    return this.typing.hide(place);
  }

  async stop(): Promise<void> {
    this.over.abort();
    await this.sockets?.close();
  }

  private async identify(): Promise<Bot> {
    const { team_id: team, user_id: user, enterprise_id: enterprise } = await this.api.call('auth.test');
    return { team: toText(team) ?? '', user: toText(user) ?? '', enterprise: toText(enterprise) };
  }

  private async connect(appToken: string, signal: AbortSignal): Promise<void> {
    const { api, clock, link } = this;
    this.sockets = new SocketMode({
      api,
      appToken,
      clock,
      log: link.log,
      signal,
      take: (event) => this.takeShared(event),
      fail: (error) => link.fail(error),
      noteOthers: (count) =>
        this.degrade('connections', count > 0 ? `${count} other connections use the token of the app` : undefined),
    });
    await this.sockets.open();
  }

  /** Reads what was posted while nothing was connected. Never rejects. */
  private async catchUp(chats: readonly RecentChat[], signal: AbortSignal): Promise<void> {
    const { history, link } = this;
    try {
      const take = (posts: readonly Raw[]) =>
        this.receive(posts.flatMap((post) => understand(link.log, () => sortPost(post, {}, this.options)) ?? []));
      const unread = await catchUp({ history, link, chats, take, signal });
      this.degrade(
        'history',
        unread > 0 ? `what was missed in ${unread} chats could not be read, or not all of it` : undefined,
      );
    } catch (error) {
      if (!signal.aborted) link.fail(error);
    }
  }

  private degrade(what: string, reason: string | undefined): void {
    if (reason === undefined) this.troubles.delete(what);
    else this.troubles.set(what, reason);
    this.link.degrade(this.troubles.size > 0 ? [...this.troubles.values()].join('; ') : undefined);
  }

  /** Takes an event from a connection of the app, which may be for another workspace with the same app. */
  private async takeShared(envelope: Raw): Promise<void> {
    const team = findTeam(envelope);
    if (team === undefined || this.isOurs(team)) return this.take(envelope);
    const other = this.accounts.find((account) => account.team === team);
    if (!other) return this.link.log.warn({ team }, 'an event is for a workspace without an account; it is ignored');
    await other.take(envelope);
  }

  private isOurs(team: string): boolean {
    return team === this.bot.team || team === this.bot.enterprise;
  }

  /** Takes an event. When it resolves, the event is stored or ignored. */
  private async take(envelope: Raw): Promise<void> {
    await this.caughtUp;
    const team = findTeam(envelope);
    if (team !== undefined && !this.isOurs(team)) return;
    const sorted = understand(this.link.log, () => sortEvent(envelope, this.options));
    if (!sorted) return;
    if (sorted.kind === 'revoked')
      return this.link.fail(new DriverError('bad_credential', `Slack has revoked the token: ${sorted.reason}`));
    await this.receive([sorted]);
  }

  private get options(): SortOptions {
    const { settings, requiresMention } = this.link;
    return { bot: this.bot, repliesInThread: settings.reply_in_thread, requiresMention };
  }

  private async receive(all: readonly Sorted[]): Promise<void> {
    const updates: Update[] = [];
    for (const sorted of all) {
      if (sorted.kind === 'update' && !this.isRepeated(sorted)) updates.push(sorted.update);
      else
        this.link.log.debug(
          { reason: sorted.kind === 'ignored' ? sorted.reason : 'a post that came before' },
          'ignored',
        );
    }
    if (updates.length > 0) await this.link.receive(updates);
  }

  /** Returns whether a post came before under another time. */
  private isRepeated({ update, clientId }: Extract<Sorted, { kind: 'update' }>): boolean {
    if (clientId === undefined) return false;
    const before = this.posts.get(clientId);
    this.posts.set(clientId, before ?? update.id);
    return before !== undefined && before !== update.id;
  }

  private async readOne(update: Update): Promise<Reading> {
    const { bot, people, link, api } = this;
    const raw = update.raw as RawUpdate;
    const reading = await readUpdate(update, {
      bot,
      people,
      takesPart: async () => {
        if (link.settings.require_mention_in_threads) return false;
        return (raw.kind === 'post' && raw.isBelowBot) || link.takesPart(update.place);
      },
    });
    if (reading.kind !== 'message' || raw.kind !== 'post' || raw.files.length === 0) return reading;
    const files = new Map(raw.files.map((file) => [file.id, file]));
    return withFiles(reading, toFileRefs(raw), link, {
      maxBytes: MAX_FILE_BYTES,
      open: ({ id }) => openFile(files.get(id), api),
    });
  }

  private async post(part: Part): Promise<string> {
    const { ts } = await callFor(part, this.link.log, (attempt) => {
      const message = { ...toTarget(attempt.place), ...toMessage(part, attempt) };
      return this.api.call('chat.postMessage', { ...message, unfurl_links: false, unfurl_media: false });
    });
    return toRef(ts);
  }
}

/** Says which of the two tokens Slack refuses. */
function nameAppToken(error: unknown): never {
  throw error instanceof DriverError ? new DriverError(error.fault, `app_token: ${error.message}`) : error;
}

/** Returns a part as another message, which is found by its own ID. */
function toContinuation(part: Part): Part {
  return { ...part, id: `${part.id}+` };
}
