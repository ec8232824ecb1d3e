import type { Update as BotUpdate } from 'grammy/types';
import { ChannelDriver } from '../../core/channels/channel-driver.decorator.js';
import {
  DriverError,
  type ChannelLink,
  type Driver,
  type Part,
  type Reading,
  type Update,
} from '../../core/channels/driver.js';
import { toPlainText } from '../../core/channels/text-length.js';
import { Clock } from '../../core/time/clock.js';
import { egressFetch } from '../../http/egress-fetch.js';
import { BotApi, RefusedCallError, type BotMethods } from './bot-api.js';
import { markUp, measure } from './markup.js';
import { Poller } from './poller.js';
import { readUpdate } from './reading.js';
import { telegramSettings, type TelegramSettings } from './telegram.settings.js';
import { sortUpdate, type Bot, type RawUpdate } from './updates.js';

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
  private link!: ChannelLink<TelegramSettings>;
  private api!: BotApi;
  private bot!: Bot;

  constructor(private readonly clock: Clock) {}

  async start(link: ChannelLink<TelegramSettings>, signal: AbortSignal): Promise<void> {
    this.link = link;
    const { bot_token: token, api_root: root } = link.settings;
    this.api = await BotApi.load(token, root, egressFetch);
    try {
      const { id, username } = await this.api.call((methods, abort) => methods.getMe(abort as never));
      this.bot = { id, username };
    } catch (error) {
      throw error instanceof DriverError ? error : new DriverError('unreachable', messageOf(error));
    }
    const poller = new Poller({
      api: this.api,
      clock: this.clock,
      signal: AbortSignal.any([signal, this.over.signal]),
      take: (updates) => this.take(updates),
    });
    await poller.start();
    void poller
      .run()
      .catch((error: unknown) =>
        link.fail(error instanceof DriverError ? error : new DriverError('unreachable', messageOf(error))),
      );
  }

  read({ raw }: Update): Reading {
    return readUpdate(raw as RawUpdate, this.bot);
  }

  measure(texts: Part['texts']): number {
    return measure(texts);
  }

  async send(part: Part): Promise<string> {
    const { chat, thread, replyTo } = part.place;
    const target = {
      chat_id: chat,
      ...(thread !== undefined && { message_thread_id: Number(thread) }),
      ...(replyTo !== undefined && {
        reply_parameters: { message_id: Number(replyTo), allow_sending_without_reply: true },
      }),
    };
    const sent = await this.show(part, (methods, text, abort) =>
      methods.sendMessage({ ...target, ...text, link_preview_options: { is_disabled: true } }, abort as never),
    );
    return String(sent.message_id);
  }

  async edit(ref: string, part: Part): Promise<void> {
    try {
      await this.show(part, (methods, text, abort) =>
        methods.editMessageText(
          {
            chat_id: part.place.chat,
            message_id: Number(ref),
            ...text,
            link_preview_options: { is_disabled: true },
          },
          abort as never,
        ),
      );
    } catch (error) {
      if (!(error instanceof RefusedCallError && error.description.includes('message is not modified'))) throw error;
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

  /** Shows texts with markup, or without where Telegram refuses it. */
  private async show<T>(
    { texts }: Part,
    call: (methods: BotMethods, text: Shown, abort: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { html } = markUp(texts);
    try {
      return await this.api.call((methods, abort) => call(methods, { text: html, parse_mode: 'HTML' }, abort));
    } catch (error) {
      if (!(error instanceof RefusedCallError && error.description.includes("can't parse entities"))) throw error;
      return this.api.call((methods, abort) => call(methods, { text: toPlainText(texts) }, abort));
    }
  }

  /** Takes what a poll has brought. An update that cannot be understood is logged and left out. */
  private async take(raw: readonly BotUpdate[]): Promise<void> {
    const updates: Update[] = [];
    for (const one of raw) {
      try {
        const sorted = sortUpdate(one, this.bot);
        if (sorted.kind === 'update') updates.push(sorted.update);
        else this.link.log.debug({ update_id: one.update_id, ...sorted }, 'an update was ignored');
      } catch (error) {
        this.link.log.warn({ update_id: one.update_id, error }, 'an update could not be understood; it is left out');
      }
    }
    await this.link.receive(updates);
  }
}

interface Shown {
  readonly text: string;
  readonly parse_mode?: 'HTML';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
