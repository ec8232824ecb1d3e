import { ChannelDriver } from '../core/channels/channel-driver.decorator.js';
import {
  commandOf,
  DeliveryError,
  DriverError,
  editIdOf,
  type Button,
  type ChannelLink,
  type CheckedAccount,
  type Driver,
  type FailedDelivery,
  type Part,
  type Place,
  type Reading,
  type Target,
  type Update,
  type Updates,
} from '../core/channels/driver.js';
import { toPlainText } from '../core/channels/kit/text-length.js';

/** A message that a person has written. */
export interface WrittenMessage {
  /** Numbers of all chats, from 1. */
  readonly number: number;
  readonly chat: string;
  readonly sender: string;
  readonly text: string;
  readonly group: string | undefined;
  /** The album that it belongs to. */
  readonly album?: string;
  /** Unix milliseconds. */
  readonly sentAt: number;
  readonly isBot?: boolean;
  /** Other IDs of the sender. */
  readonly aliases?: readonly string[];
  /** The act of a person who wrote nothing. */
  readonly act?: Act;
}

/** The acts of people besides writing. `of` is the number of a message of a person, or the ID of one of the program. */
export type Act =
  | { readonly kind: 'edit' | 'deletion'; readonly of: number }
  | {
      readonly kind: 'reaction';
      readonly of: number | string;
      readonly emoji: string;
      readonly action: 'added' | 'removed';
    }
  | { readonly kind: 'press'; readonly data: string };

/** A message that a driver has sent. */
export interface ShownMessage {
  readonly id: string;
  readonly chat: string;
  text: string;
  isDeleted: boolean;
  buttons: readonly Button[];
}

/** The calls that the made-up platform offers to programs. A test may put a network in between. */
export abstract class PlatformApi {
  /** Confirms the messages before `from`, which the platform forgets, and resolves with the others as soon as there are any. */
  abstract poll(from: number): Promise<readonly WrittenMessage[]>;
  abstract send(chat: string, text: string, buttons?: readonly Button[]): Promise<string>;
  /** Changes a message, and takes its buttons away. */
  abstract edit(id: string, text: string): Promise<void>;
  abstract remove(id: string): Promise<void>;
  /** Resolves with the messages of a chat from a time on, in Unix milliseconds. */
  abstract readHistory(chat: string, since: number): Promise<readonly WrittenMessage[]>;
}

/** The failure of a call of the platform. `takesEffect`: only the response is lost. */
export interface CallFailure {
  readonly outcome: FailedDelivery | 'bad_credential';
  readonly retryAfterMs?: number;
  readonly takesEffect?: boolean;
}

/** A messaging platform in memory, which keeps what people write until a program has confirmed it. */
export class FakePlatform extends PlatformApi {
  /** All messages that were sent, in order. */
  readonly shown: ShownMessage[] = [];
  /** Number of calls to send, edit and remove. */
  calls = 0;
  /** True while polls fail. */
  isDown = false;
  private readonly unconfirmed: WrittenMessage[] = [];
  private readonly history: WrittenMessage[] = [];
  private readonly failures: CallFailure[] = [];
  private readonly waiting: (() => void)[] = [];

  /** A person writes to a chat: their own with the bot, or a group. */
  write(sender: string, text: string, group?: string, sentAt = Date.now()): WrittenMessage {
    return this.deliver({ chat: group ?? sender, sender, text, group, sentAt });
  }

  /** A person sends an album: several messages at once. */
  writeAlbum(sender: string, texts: readonly string[], sentAt = Date.now()): void {
    const album = `album-${this.history.length}`;
    for (const text of texts) this.deliver({ chat: sender, sender, text, group: undefined, sentAt, album });
  }

  /** A person edits a message, reacts to one, or presses a button, in a chat; a bot writes. */
  act(
    sender: string,
    chat: string,
    more: Pick<WrittenMessage, 'act' | 'isBot' | 'aliases'>,
    text = '',
  ): WrittenMessage {
    const group = chat === sender ? undefined : chat;
    return this.deliver({ chat, sender, text, group, sentAt: this.history.at(-1)?.sentAt ?? Date.now(), ...more });
  }

  private deliver(written: Omit<WrittenMessage, 'number'>): WrittenMessage {
    const message = { number: this.history.length + 1, ...written };
    this.history.push(message);
    this.redeliver(message);
    return message;
  }

  /** Delivers a message, possibly again. */
  redeliver(message: WrittenMessage): void {
    this.unconfirmed.push(message);
    for (const wake of this.waiting.splice(0)) wake();
  }

  /** Forgets what no program has confirmed, as a platform without a queue does. */
  forget(): void {
    this.unconfirmed.length = 0;
  }

  /** Delivers all that is not confirmed once more. */
  repeatAll(): void {
    for (const message of [...this.unconfirmed]) this.redeliver(message);
  }

  /** Number of messages that no program has confirmed. */
  get pending(): number {
    return this.unconfirmed.length;
  }

  /** Makes the next calls to send, edit and remove fail, one each. */
  failNext(...failures: readonly CallFailure[]): void {
    this.failures.push(...failures);
  }

  /** A person presses a button of the newest message of a chat that has one, by its text. */
  press(sender: string, chat: string, text: string): void {
    const shown = this.shown.findLast((message) => message.chat === chat && message.buttons.length > 0);
    const data = shown?.buttons.find((button) => button.text === text)?.data;
    if (data === undefined) throw new Error(`no message of ${chat} has a button ${text}`);
    this.act(sender, chat, { act: { kind: 'press', data } });
  }

  /** Returns the texts that a chat shows, in order. */
  read(chat: string): string[] {
    return this.shown.filter((message) => message.chat === chat && !message.isDeleted).map(({ text }) => text);
  }

  override async poll(from: number): Promise<readonly WrittenMessage[]> {
    if (this.isDown) throw new DriverError('unreachable', 'the platform is down');
    const rest = this.unconfirmed.filter(({ number }) => number >= from);
    this.unconfirmed.splice(0, this.unconfirmed.length, ...rest);
    if (this.unconfirmed.length === 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
    return [...this.unconfirmed];
  }

  override async send(chat: string, text: string, buttons: readonly Button[] = []): Promise<string> {
    const message = { id: `out-${this.shown.length + 1}`, chat, text, isDeleted: false, buttons };
    this.call(() => this.shown.push(message));
    return message.id;
  }

  override async edit(id: string, text: string): Promise<void> {
    this.call(() => Object.assign(this.find(id), { text, buttons: [] }));
  }

  override async remove(id: string): Promise<void> {
    this.call(() => (this.find(id).isDeleted = true));
  }

  override async readHistory(chat: string, since: number): Promise<readonly WrittenMessage[]> {
    if (this.isDown) throw new DriverError('unreachable', 'the platform is down');
    return this.history.filter((message) => message.chat === chat && message.sentAt >= since);
  }

  private find(id: string): ShownMessage {
    const message = this.shown.find((shown) => shown.id === id && !shown.isDeleted);
    if (!message) throw new DeliveryError('refused', `there is no message ${id}`);
    return message;
  }

  private call(effect: () => unknown): void {
    this.calls++;
    const failure = this.failures.shift();
    if (!failure || failure.takesEffect) effect();
    if (!failure) return;
    if (failure.outcome === 'bad_credential') throw new DriverError('bad_credential', 'the credential was revoked');
    throw new DeliveryError(failure.outcome, `the call failed: ${failure.outcome}`, failure.retryAfterMs);
  }
}

/** The driver of the made-up platform, with what `@ChannelDriver` needs besides the class. */
abstract class PlatformDriver implements Driver {
  protected abstract readonly api: PlatformApi;
  private readonly over = new AbortController();
  private from = 0;

  async check(): Promise<CheckedAccount> {
    await this.api.readHistory('', 0);
    return { name: 'the pigeon', remarks: ['It flies by day.'] };
  }

  async start(link: ChannelLink, signal: AbortSignal): Promise<void> {
    await this.catchUp(link);
    void this.listen(link, AbortSignal.any([signal, this.over.signal])).catch((error: unknown) =>
      link.fail(error instanceof DriverError ? error : new DriverError('unreachable', String(error))),
    );
  }

  read(updates: Updates): Reading {
    const messages = updates.map(({ raw }) => raw as WrittenMessage);
    const press = messages[0]?.act?.kind === 'press' ? commandOf(messages[0].act.data) : undefined;
    if (press !== undefined) return { kind: 'message', message: { content: press } };
    const content = messages.map(({ text }) => text).join('\n');
    if (content === '/unreadable') throw new Error('the message is odd');
    return { kind: 'message', message: { content, metadata: { number: messages[0]?.number } } };
  }

  send({ place, texts, buttons }: Part): Promise<string> {
    return this.api.send(place.chat, toPlainText(texts), buttons);
  }

  edit(ref: string, { texts }: Part): Promise<void> {
    return this.api.edit(ref, toPlainText(texts));
  }

  remove(ref: string): Promise<void> {
    return this.api.remove(ref);
  }

  async findPlace(target: Target): Promise<Place> {
    return 'sender' in target ? { chat: target.sender } : { chat: target.groupId, isGroup: true };
  }

  async stop(): Promise<void> {
    this.over.abort();
  }

  /** Reads what the platform has forgotten, where it keeps no queue. */
  protected async catchUp(_link: ChannelLink): Promise<void> {}

  private async listen(link: ChannelLink, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const messages = await this.api.poll(this.from);
      if (signal.aborted) return;
      await link.receive(messages.map((message) => toUpdate(link.channel, message)));
      this.from = Math.max(this.from, ...messages.map(({ number }) => number + 1));
    }
  }
}

function toUpdate(channel: string, message: WrittenMessage): Update {
  const { number, chat, sender, group, sentAt, album, act, isBot, aliases, text } = message;
  const place = { chat, replyTo: String(number), isGroup: group !== undefined };
  const idOf = (of: number | string) => `${channel}:${chat}:${of}`;
  return {
    id: idOf(number),
    sender,
    groupId: group,
    place,
    sentAt,
    isBot,
    aliases,
    visible: [text],
    raw: message,
    ...(album !== undefined && { join: { key: album, waitMs: 1_000 } }),
    ...(act?.kind === 'press' && { id: `${channel}:cb:${number}` }),
    ...(act?.kind === 'reaction' && {
      reaction: { action: act.action, emoji: act.emoji, messageId: idOf(act.of), ref: String(act.of) },
    }),
    ...((act?.kind === 'edit' || act?.kind === 'deletion') && {
      id: editIdOf(idOf(act.of), number),
      change: { kind: act.kind, messageId: idOf(act.of) },
    }),
  };
}

const LIMITS = { maxLength: 400, minEditIntervalMs: { direct: 20, group: 20 } };

/** Drives the channel `pigeon`, whose messages can be edited. */
@ChannelDriver({
  name: 'pigeon',
  settings: {},
  capabilities: { edits: true, buttons: true, lengthUnit: 'code points', ...LIMITS },
})
export class PigeonDriver extends PlatformDriver {
  constructor(protected readonly api: PlatformApi) {
    super();
  }
}

/** Drives the channel `telegraph`, whose messages stay as they were sent, and which keeps no queue. */
@ChannelDriver({
  name: 'telegraph',
  settings: {},
  capabilities: { edits: false, lengthUnit: 'bytes', ...LIMITS },
})
export class TelegraphDriver extends PlatformDriver {
  constructor(protected readonly api: PlatformApi) {
    super();
  }

  protected override async catchUp(link: ChannelLink): Promise<void> {
    for (const { place, since } of await link.listChats()) {
      const missed = await this.api.readHistory(place.chat, since);
      await link.receive(missed.map((message) => toUpdate(link.channel, message)));
      await link.closeGap(place.chat);
    }
  }
}
