import type { Update as BotUpdate } from 'grammy/types';
import { ChannelDriver } from '../../core/channels/channel-driver.decorator.js';
import type { ChannelLink, Driver, Part, Reading, Update, Updates } from '../../core/channels/driver.js';
import { Clock } from '../../core/time/clock.js';
import { egressFetch } from '../../http/egress-fetch.js';
import { BotApi, RefusedCallError, type BotMethods } from './bot-api.js';
import { findFile } from './content.js';
import { Edits } from './edits.js';
import { fileOf, sendFile, withFiles } from './files.js';
import { measure } from './markup.js';
import { isRefusal, NO_PREVIEW, NOT_MODIFIED, toOutgoing, withoutRefused, type Outgoing } from './outgoing.js';
import { Pastes } from './pastes.js';
import { Poller, toFault } from './poller.js';
import { secretOf, TelegramWebhooks } from './webhooks.js';
import { readUpdates } from './reading.js';
import { telegramSettings, type TelegramSettings } from './telegram.settings.js';
import { ALLOWED_UPDATES, sortUpdate, type Bot, type RawUpdate } from './updates.js';

/** Drives the channel `telegram`: a bot that polls. */
@ChannelDriver({
  name: 'telegram',
  settings: telegramSettings,
  capabilities: {
    edits: true,
    maxLength: 4_096,
    lengthUnit: 'UTF-16 units',
    minEditIntervalMs: { direct: 1_000, group: 3_000 },
  },
})
export class TelegramDriver implements Driver<TelegramSettings> {
  private readonly over = new AbortController();
  private readonly pastes = new Pastes();
  private readonly edits = new Edits();
  private link!: ChannelLink<TelegramSettings>;
  private api!: BotApi;
  private bot!: Bot;

  constructor(
    private readonly clock: Clock,
    private readonly webhooks: TelegramWebhooks,
  ) {}

  async start(link: ChannelLink<TelegramSettings>, signal: AbortSignal): Promise<void> {
    this.link = link;
    const { bot_token: token, api_root: root } = link.settings;
    this.api = await BotApi.load(token, root, egressFetch, (time) => link.noteTime(time));
    try {
      const { id, username } = await this.api.call((methods, abort) => methods.getMe(abort as never));
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
      await this.api.call((methods, abort) => methods.setWebhook(options, abort as never));
    } catch (error) {
      remove();
      throw toFault(error);
    }
  }

  read(updates: Updates): Reading | Promise<Reading> {
    const raw = updates.map((update) => update.raw) as [RawUpdate, ...RawUpdate[]];
    const reading = readUpdates(raw, this.bot);
    const files = raw.flatMap((one) => (one.kind === 'message' && findFile(one.message)) || []);
    return reading.kind === 'message' && files.length > 0 ? withFiles(reading, files, this.api, this.link) : reading;
  }

  async showTyping({ chat, thread }: Part['place']): Promise<void> {
    const topic = thread === undefined ? {} : { message_thread_id: Number(thread) };
    await this.api.call((methods, abort) =>
      methods.sendChatAction({ chat_id: chat, action: 'typing', ...topic }, abort as never),
    );
  }

  measure(texts: Part['texts']): number {
    return measure(texts);
  }

  async send(part: Part): Promise<string> {
    const file = fileOf(part);
    if (file) return String(await sendFile(part, file, this.api, this.link));
    const sent = await this.callWithFallbacks(part, ({ place, ...text }, methods, abort) =>
      methods.sendMessage({ ...place, ...text, link_preview_options: NO_PREVIEW }, abort as never),
    );
    return String(sent.message_id);
  }

  async edit(ref: string, part: Part): Promise<void> {
    if (fileOf(part)) return;
    const target = { message_id: Number(ref), link_preview_options: NO_PREVIEW };
    try {
      await this.callWithFallbacks(part, ({ place: { chat_id }, text, parse_mode }, methods, abort) =>
        methods.editMessageText({ ...target, chat_id, text, ...(parse_mode && { parse_mode }) }, abort as never),
      );
    } catch (error) {
      if (!isRefusal(error, NOT_MODIFIED)) throw error;
    }
  }

  async remove(ref: string, { chat }: Part['place']): Promise<void> {
    await this.api.call((methods, abort) =>
      methods.deleteMessage({ chat_id: chat, message_id: Number(ref) }, abort as never),
    );
  }

  async stop(): Promise<void> {
    this.over.abort();
  }

  /** Makes a call again without what Telegram refuses of it: the markup, the topic, the message that it replies to. */
  private async callWithFallbacks<T>(
    part: Part,
    make: (outgoing: Outgoing, methods: BotMethods, abort: AbortSignal) => Promise<T>,
  ): Promise<T> {
    let outgoing = toOutgoing(part);
    for (;;) {
      try {
        return await this.api.call((methods, abort) => make(outgoing, methods, abort));
      } catch (error) {
        if (!(error instanceof RefusedCallError)) throw error;
        if (error.movedTo !== undefined) await this.link.moveChat(part.place.chat, String(error.movedTo));
        const less = withoutRefused(outgoing, part, error);
        if (!less) throw error;
        this.link.log.warn({ part: part.id, error }, 'Telegram refuses a part of a message; it is sent without');
        outgoing = less;
      }
    }
  }

  /** Moves a group, after what was written in it before. */
  private async move({ from, to }: { from: string; to: string }, before: Update[]): Promise<void> {
    await this.link.receive(before.splice(0));
    await this.link.moveChat(from, to);
  }

  /** Takes what a poll has brought. An update that cannot be understood is logged and left out. */
  private async take(raw: readonly BotUpdate[]): Promise<void> {
    const updates: Update[] = [];
    for (const one of raw) {
      try {
        const sorted = sortUpdate(one, this.bot, this.clock.now());
        if (sorted.kind === 'update' && this.edits.changes(sorted.update))
          updates.push(this.pastes.join(sorted.update));
        else if (sorted.kind === 'moved') await this.move(sorted, updates);
        else this.link.log.debug({ update_id: one.update_id, ...sorted }, 'an update was ignored');
      } catch (error) {
        this.link.log.warn({ update_id: one.update_id, error }, 'an update could not be understood; it is left out');
      }
    }
    if (updates.length > 0) await this.link.receive(updates);
  }
}
