import type { Update as BotUpdate } from '@grammyjs/types';
import { ChannelDriver } from '../../core/channels/channel-driver.decorator.js';
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
import { fileOf, withFiles, type FileRef } from '../../core/channels/kit/message-files.js';
import { Clock } from '../../core/time/clock.js';
import { Admins } from './admins.js';
import { BotApi } from './bot-api.js';
import { findFile } from './content.js';
import { MAX_FETCHED_BYTES, MAX_SENT_BYTES, openFile, sendFile } from './files.js';
import { measure } from './markup.js';
import { callFor, isRefusal, MAX_LENGTH, NO_PREVIEW, NOT_MODIFIED, toKeyboard, toTarget, toText } from './outgoing.js';
import { Pastes } from './pastes.js';
import { Poller } from './poller.js';
import { secretOf, TelegramWebhooks } from './webhooks.js';
import { understand } from '../../core/channels/kit/readings.js';
import { isCommand, readUpdates, type MessageReading } from './reading.js';
import { telegramSettings, type TelegramSettings } from './telegram.settings.js';
import type { Bot } from './people.js';
import { ALLOWED_UPDATES, findMember, sortUpdate, type Member, type RawUpdate } from './updates.js';

/** Drives the channel `telegram`: a bot that polls, or to which Telegram delivers. */
@ChannelDriver({
  name: 'telegram',
  settings: telegramSettings,
  capabilities: {
    edits: true,
    buttons: true,
    media: { image: MAX_SENT_BYTES, audio: MAX_SENT_BYTES, file: MAX_SENT_BYTES },
    maxLength: MAX_LENGTH,
    lengthUnit: 'UTF-16 units',
    minEditIntervalMs: { direct: 1_000, group: 3_000 },
  },
})
export class TelegramDriver implements Driver<TelegramSettings> {
  readonly measure = measure;
  private readonly over = new AbortController();
  private readonly pastes = new Pastes();
  private link!: ChannelLink<TelegramSettings>;
  private api!: BotApi;
  private bot!: Bot;
  private admins!: Admins;

  constructor(
    private readonly clock: Clock,
    private readonly webhooks: TelegramWebhooks,
  ) {}

  async check({
    bot_token: token,
    api_root: root,
  }: ChannelLink<TelegramSettings>['settings']): Promise<CheckedAccount> {
    const bot = await new BotApi({ token, root, clock: this.clock }).call('getMe');
    const isPrivate = !bot.can_read_all_group_messages;
    const remark =
      'Privacy mode is on: in groups the bot sees commands, mentions and replies to it only (@BotFather, /setprivacy).';
    return { name: `@${bot.username}`, remarks: isPrivate ? [remark] : [] };
  }

  async start(link: ChannelLink<TelegramSettings>, signal: AbortSignal): Promise<void> {
    this.link = link;
    const { bot_token: token, api_root: root, webhook_url: url } = link.settings;
    const { clock } = this;
    this.api = new BotApi({ token, root, clock, noteTime: (time) => link.noteTime(time) });
    this.admins = new Admins(this.api, clock);
    const { id, username } = await this.api.call('getMe');
    this.bot = { id, username };
    const intake = AbortSignal.any([signal, this.over.signal]);
    await (url === undefined ? this.startPolling(intake) : this.startWebhook(url, intake));
  }

  private async startPolling(signal: AbortSignal): Promise<void> {
    const { api, clock, link } = this;
    const take = (updates: readonly BotUpdate[]) => this.take(updates);
    const poller = new Poller({ api, clock, signal, take, degrade: (reason) => link.degrade(reason) });
    await poller.start();
    void poller.run().catch((error: unknown) => link.fail(error));
  }

  private async startWebhook(url: string, signal: AbortSignal): Promise<void> {
    const { account, settings } = this.link;
    const secret = secretOf(settings.bot_token);
    this.webhooks.add(account, { secret, take: (update) => this.take([update as BotUpdate]) }, signal);
    // One delivery at a time, in order.
    const options = { url, secret_token: secret, allowed_updates: ALLOWED_UPDATES, max_connections: 1 };
    await this.api.call('setWebhook', options);
  }

  read(updates: Updates): Reading | Promise<Reading> {
    const raw = updates.map((update) => update.raw) as [RawUpdate, ...RawUpdate[]];
    const reading = readUpdates(raw, this.bot);
    if (reading.kind !== 'message') return reading;
    const files = raw.flatMap((one) => (one.kind === 'message' && findFile(one.message)) || []);
    const open = (file: FileRef) => openFile(file, this.api);
    if (files.length > 0) return withFiles(reading, files, this.link, { open, maxBytes: MAX_FETCHED_BYTES });
    const author = isCommand(reading) ? findMember(raw[0]) : undefined;
    return author ? this.nameAdmin(reading, author) : reading;
  }

  /** The rights of a person count for commands only. */
  private async nameAdmin(reading: MessageReading, { chat, user }: Member): Promise<Reading> {
    const isAdmin = await this.admins.include(chat, user);
    return isAdmin ? { ...reading, message: { ...reading.message, sender_is_admin: true } } : reading;
  }

  async showTyping({ chat, thread }: Place): Promise<void> {
    await this.api.call('sendChatAction', { ...toTarget({ chat, thread }), action: 'typing' });
  }

  async send(part: Part): Promise<string> {
    const { api, link } = this;
    const sentAsFile = await sendFile(part, api, link);
    if (sentAsFile !== undefined) return String(sentAsFile);
    const sent = await callFor(part, link, (attempt) =>
      api.call('sendMessage', {
        ...toTarget(attempt.place),
        ...toText(part, attempt),
        ...toKeyboard(part),
        link_preview_options: NO_PREVIEW,
      }),
    );
    return String(sent.message_id);
  }

  async edit(ref: string, part: Part): Promise<void> {
    if (fileOf(part)) return;
    const target = { message_id: Number(ref), link_preview_options: NO_PREVIEW };
    try {
      await callFor(part, this.link, (attempt) =>
        this.api.call('editMessageText', { ...target, chat_id: attempt.place.chat, ...toText(part, attempt) }),
      );
    } catch (error) {
      if (!isRefusal(error, NOT_MODIFIED)) throw error;
    }
  }

  async remove(ref: string, { chat }: Place): Promise<void> {
    await this.api.call('deleteMessage', { chat_id: chat, message_id: Number(ref) });
  }

  /** The direct chat with a person has the person's ID. */
  async findPlace(target: Target): Promise<Place> {
    if ('sender' in target) return { chat: target.sender };
    return { chat: target.groupId, thread: target.threadId, isGroup: true };
  }

  async stop(): Promise<void> {
    this.over.abort();
  }

  /** Takes updates in their order. When it resolves, each of them is stored or ignored. */
  private async take(raw: readonly BotUpdate[]): Promise<void> {
    const updates: Update[] = [];
    for (const one of raw) {
      const sorted = understand(this.link.log, () => sortUpdate(one, this.bot, this.clock.now()));
      if (one.callback_query) this.answerPress(one.callback_query.id);
      if (!sorted) continue;
      if (sorted.kind === 'update') updates.push(this.pastes.join(sorted.update));
      else if (sorted.kind === 'reactions') updates.push(...sorted.updates);
      else if (sorted.kind === 'members') this.admins.forget(sorted.chat);
      else if (sorted.kind === 'moved') {
        // Earlier messages belong to the old ID.
        await this.link.receive(updates.splice(0));
        await this.link.moveChat(sorted.from, sorted.to);
      } else this.link.log.debug({ update_id: one.update_id, ...sorted }, 'an update was ignored');
    }
    await this.link.receive(updates);
  }

  /** Ends the waiting that people see at a button. Whether it works changes nothing. */
  private answerPress(id: string): void {
    this.api
      .call('answerCallbackQuery', { callback_query_id: id })
      .catch((error: unknown) => this.link.log.debug({ error }, 'a press could not be answered'));
  }
}
