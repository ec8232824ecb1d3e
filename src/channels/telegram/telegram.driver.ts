import type { Update as BotUpdate } from 'grammy/types';
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
import { toFault } from '../../core/channels/faults.js';
import { fileOf, withFiles } from '../../core/channels/message-files.js';
import { Clock } from '../../core/time/clock.js';
import { egressFetch } from '../../http/egress-fetch.js';
import { Admins } from './admins.js';
import { BotApi } from './bot-api.js';
import { findFile } from './content.js';
import { MAX_SENT_BYTES, openFile, sendFile } from './files.js';
import { measure } from './markup.js';
import { callFor, isRefusal, MAX_LENGTH, NO_PREVIEW, NOT_MODIFIED, toKeyboard, toTarget, toText } from './outgoing.js';
import { Pastes } from './pastes.js';
import { Poller } from './poller.js';
import { secretOf, TelegramWebhooks } from './webhooks.js';
import { isCommand, readUpdates, type MessageReading } from './reading.js';
import { telegramSettings, type TelegramSettings } from './telegram.settings.js';
import type { Bot } from './people.js';
import { ALLOWED_UPDATES, findMember, sortUpdate, type Member, type RawUpdate, type Sorted } from './updates.js';

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
    const api = await BotApi.load(token, root, egressFetch, () => {});
    const bot = await api.call((methods, abort) => methods.getMe(abort));
    const isPrivate = !bot.can_read_all_group_messages;
    const remark =
      'Privacy mode is on: in groups the bot sees commands, mentions and replies to it only (@BotFather, /setprivacy).';
    return { name: `@${bot.username}`, remarks: isPrivate ? [remark] : [] };
  }

  async start(link: ChannelLink<TelegramSettings>, signal: AbortSignal): Promise<void> {
    this.link = link;
    const { bot_token: token, api_root: root } = link.settings;
    this.api = await BotApi.load(token, root, egressFetch, (time) => link.noteTime(time));
    this.admins = new Admins(this.api, this.clock);
    try {
      const { id, username } = await this.api.call((methods, abort) => methods.getMe(abort));
      this.bot = { id, username };
    } catch (error) {
      throw toFault(error);
    }
    if (link.settings.webhook_url === undefined) await this.startPolling(signal);
    else await this.startWebhook(link.settings.webhook_url, signal);
  }

  private async startPolling(signal: AbortSignal): Promise<void> {
    const { link } = this;
    const poller = new Poller({
      api: this.api,
      clock: this.clock,
      signal: AbortSignal.any([signal, this.over.signal]),
      take: (updates) => this.take(updates),
      degrade: (reason) => link.degrade(reason),
    });
    await poller.start();
    void poller.run().catch((error: unknown) => link.fail(toFault(error)));
  }

  /** @throws DriverError */
  private async startWebhook(url: string, signal: AbortSignal): Promise<void> {
    const { account, settings } = this.link;
    const secret = secretOf(settings.bot_token);
    const remove = this.webhooks.add(account, { secret, take: (update) => this.take([update as BotUpdate]) });
    for (const end of [signal, this.over.signal]) end.addEventListener('abort', remove, { once: true });
    try {
      // One delivery at a time, in order.
      const options = { url, secret_token: secret, allowed_updates: ALLOWED_UPDATES, max_connections: 1 };
      await this.api.call((methods, abort) => methods.setWebhook(options, abort));
    } catch (error) {
      remove();
      throw toFault(error);
    }
  }

  read(updates: Updates): Reading | Promise<Reading> {
    const raw = updates.map((update) => update.raw) as [RawUpdate, ...RawUpdate[]];
    const reading = readUpdates(raw, this.bot);
    if (reading.kind !== 'message') return reading;
    const files = raw.flatMap((one) => (one.kind === 'message' && findFile(one.message)) || []);
    if (files.length > 0) return withFiles(reading, files, this.link, (file) => openFile(file, this.api));
    const author = isCommand(reading) ? findMember(raw[0]) : undefined;
    return author ? this.nameAdmin(reading, author) : reading;
  }

  /** The rights of a person count for commands only. */
  private async nameAdmin(reading: MessageReading, { chat, user }: Member): Promise<Reading> {
    const isAdmin = await this.admins.include(chat, user);
    return isAdmin ? { ...reading, message: { ...reading.message, sender_is_admin: true } } : reading;
  }

  async showTyping({ chat, thread }: Place): Promise<void> {
    const target = toTarget({ chat, thread });
    await this.api.call((methods, abort) => methods.sendChatAction({ ...target, action: 'typing' }, abort));
  }

  async send(part: Part): Promise<string> {
    const file = fileOf(part);
    if (file) return String(await sendFile(part, file, this.api, this.link));
    const sent = await callFor(part, { api: this.api, link: this.link }, (attempt, methods, abort) => {
      const message = {
        ...toTarget(attempt.place),
        ...toText(part, attempt),
        ...toKeyboard(part),
        link_preview_options: NO_PREVIEW,
      };
      return methods.sendMessage(message, abort);
    });
    return String(sent.message_id);
  }

  async edit(ref: string, part: Part): Promise<void> {
    if (fileOf(part)) return;
    const target = { message_id: Number(ref), link_preview_options: NO_PREVIEW };
    try {
      await callFor(part, { api: this.api, link: this.link }, (attempt, methods, abort) =>
        methods.editMessageText({ ...target, chat_id: attempt.place.chat, ...toText(part, attempt) }, abort),
      );
    } catch (error) {
      if (!isRefusal(error, NOT_MODIFIED)) throw error;
    }
  }

  async remove(ref: string, { chat }: Place): Promise<void> {
    await this.api.call((methods, abort) => methods.deleteMessage({ chat_id: chat, message_id: Number(ref) }, abort));
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
      const sorted = this.sort(one);
      if (one.callback_query) this.answerPress(one.callback_query.id);
      if (sorted.kind === 'update') updates.push(sorted.update);
      else if (sorted.kind === 'reactions') updates.push(...sorted.updates);
      else if (sorted.kind === 'members') this.admins.forget(sorted.chat);
      else if (sorted.kind === 'moved') {
        // What was written before belongs to the old ID.
        await this.link.receive(updates.splice(0));
        await this.link.moveChat(sorted.from, sorted.to);
      } else this.link.log.debug({ update_id: one.update_id, ...sorted }, 'an update was ignored');
    }
    await this.link.receive(updates);
  }

  /** Ends the waiting that people see at a button. Whether it works changes nothing. */
  private answerPress(id: string): void {
    this.api
      .call((methods, abort) => methods.answerCallbackQuery({ callback_query_id: id }, abort))
      .catch((error: unknown) => this.link.log.debug({ error }, 'a press could not be answered'));
  }

  /** Decides what an update is. One that cannot be understood is logged and left out. */
  private sort(raw: BotUpdate): Sorted {
    try {
      const sorted = sortUpdate(raw, this.bot, this.clock.now());
      if (sorted.kind !== 'update') return sorted;
      return { ...sorted, update: this.pastes.join(sorted.update) };
    } catch (error) {
      this.link.log.warn({ update_id: raw.update_id, error }, 'an update could not be understood; it is left out');
      return { kind: 'ignored', reason: 'it could not be understood' };
    }
  }
}
