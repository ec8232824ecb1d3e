import { hash } from 'node:crypto';
import { BoundedMap } from '../../core/cache/bounded-map.js';
import { DeliveryError, type ChannelLink, type Part, type Place, type Target } from '../../core/channels/driver.js';
import { callWithFallbacks } from '../../core/channels/kit/fallbacks.js';
import { fileOf, loadFile, type LoadedFile } from '../../core/channels/kit/message-files.js';
import type { PlatformClock } from '../../core/channels/kit/platform-clock.js';
import { isBeginning, toPlainText } from '../../core/channels/kit/text-length.js';
import type { ListedChannel } from './catch-up.js';
import { markUp } from './markup.js';
import { isRefused, RefusedCallError, unlessRefused, type Codes } from '../platform/verdict.js';
import { TOO_MANY_OLD_EDITS, UNKNOWN_MESSAGE, type DiscordRest } from './rest.js';
import { toTime, type Message } from './updates.js';

/** Discord's limit of a text, in characters. A text has at least as many UTF-16 units. */
export const MAX_LENGTH = 2_000;
/** Discord compares a nonce with those of the past few minutes; this long, in milliseconds, is safe. */
export const NONCE_MS = 120_000;
const NONCE_LENGTH = 25;
/** Discord takes few edits of a message that is older than an hour, in milliseconds. */
const MAX_EDIT_AGE_MS = 3_000_000;
const MAX_CONTINUED = 1_000;
/** Number of messages among which one is looked up: the newest. */
const LOOK_UP_LIMIT = 50;
/** A message may seem older than its part by this much, in milliseconds. */
const CLOCK_TOLERANCE_MS = 2_000;
const MAX_ALT_LENGTH = 1_024;
/** The largest file of a bot in a server without boosts, in bytes. */
export const MAX_SENT_BYTES = 10_000_000;
/** The bot may not read the message that it replies to. */
const NO_HISTORY = 160_002;
const GONE: Codes = new Set([UNKNOWN_MESSAGE]);
const TOO_OLD: Codes = new Set([TOO_MANY_OLD_EDITS]);
/** A message that was sent and deleted since. */
const DELETED = { id: '0', content: '', wanted: '' };

/** A part without what Discord has refused of it. */
interface Attempt {
  readonly replyTo: string | undefined;
  /** True after the text with markup was refused. */
  readonly isPlain: boolean;
}

/** Sends and changes messages. */
export class Outgoing {
  /** The messages that go on in another, with its ID. */
  private readonly continued = new BoundedMap<string, string>(MAX_CONTINUED);

  constructor(
    private readonly rest: DiscordRest,
    private readonly link: Pick<ChannelLink, 'channel' | 'log' | 'openFile'>,
    private readonly clock: PlatformClock,
  ) {}

  /** Implements `Driver.send`. The nonce makes a part that is sent again appear once. */
  async send(part: Part): Promise<string> {
    const file = await loadFile(part, this.link, MAX_ALT_LENGTH);
    const path = `/channels/${part.place.chat}/messages`;
    const sending = this.callFor(part, async (attempt) => {
      const components = part.buttons && { components: toComponents(part) };
      const body = {
        ...toBody(part, attempt, file),
        ...components,
        ...this.makeNonce(part.id),
        ...toReference(attempt),
      };
      const message = await this.rest.call<Message>('POST', path, body, file);
      return { ...message, wanted: body.content ?? '' };
    });
    const { id, content, wanted } = await unlessRefused(sending, DELETED, GONE);
    // With a nonce that is known the message is the earlier one, which may show less.
    if (!file && content?.trim() !== wanted.trim()) await this.edit(id, part).catch(rethrowAsSent);
    return id;
  }

  /** Implements `Driver.edit`. */
  async edit(ref: string, part: Part): Promise<void> {
    if (ref === DELETED.id || fileOf(part)) return;
    const components = toComponents(part);
    await this.callFor(part, (attempt) =>
      this.change(ref, part.place.chat, part.id, { ...toBody(part, attempt), components }),
    );
  }

  /** Changes a message. What one that is too old for edits does not show goes on in another. */
  private async change(ref: string, chat: string, id: string, body: Body): Promise<void> {
    const path = `/channels/${chat}/messages`;
    try {
      if (this.clock.now() - toTime(ref) < MAX_EDIT_AGE_MS)
        return await this.rest.call('PATCH', `${path}/${ref}`, body);
    } catch (error) {
      if (!isRefused(error, TOO_OLD)) throw error;
    }
    const { content: shown = '' } = await this.rest.call<Message>('GET', `${path}/${ref}`);
    const content = findRest(body.content ?? '', shown);
    // Only its buttons change.
    if (content === '') return this.rest.call('PATCH', `${path}/${ref}`, body);
    const rest = { ...body, content };
    const next = this.continued.get(ref) ?? (await this.findNext(path, ref, content));
    if (next !== undefined) return this.change(next, chat, `${id}+`, rest);
    const sent = await this.rest.call<Message>('POST', path, { ...rest, ...this.makeNonce(`${id}+`) });
    this.continued.set(ref, sent.id);
  }

  /** Finds the message in which an earlier run has continued one. */
  private async findNext(path: string, ref: string, content: string): Promise<string | undefined> {
    const messages = await this.rest.call<readonly Message[]>('GET', `${path}?after=${ref}&limit=${LOOK_UP_LIMIT}`);
    return messages.find((message) => message.author.bot && isBeginning(message.content ?? '', content))?.id;
  }

  private makeNonce(id: string): { readonly nonce: string; readonly enforce_nonce: true } {
    const nonce = hash('sha256', `${this.link.channel}:${id}`, 'base64url');
    return { nonce: nonce.slice(0, NONCE_LENGTH), enforce_nonce: true };
  }

  /** Implements `Driver.remove`. A message that no longer exists is a success. */
  async remove(ref: string, { chat }: Place): Promise<void> {
    if (ref === DELETED.id) return;
    await unlessRefused(this.rest.call('DELETE', `/channels/${chat}/messages/${ref}`), undefined, GONE);
  }

  /** Implements `Driver.findPlace`: Discord opens the direct chat with a person. */
  async findPlace(target: Target): Promise<Place | undefined> {
    if ('groupId' in target) {
      const { groupId, threadId } = target;
      return { chat: threadId ?? groupId, ...(threadId !== undefined && { thread: threadId }), isGroup: true };
    }
    const direct = await this.openDirect(target.sender);
    return direct && { chat: direct.id };
  }

  /** Opens the direct chat with a person; undefined for one who has none. @throws DeliveryError, DriverError */
  async openDirect(person: string): Promise<ListedChannel | undefined> {
    return unlessRefused(this.rest.call('POST', '/users/@me/channels', { recipient_id: person }), undefined);
  }

  /** Implements `Driver.lookUp`: the newest messages of the chat are compared by author, time and text. */
  async lookUp(part: Part, botId: string): Promise<{ readonly ref: string } | 'absent' | undefined> {
    const path = `/channels/${part.place.chat}/messages?limit=${LOOK_UP_LIMIT}`;
    const messages = await unlessRefused(this.rest.call<readonly Message[]>('GET', path), undefined);
    if (!messages) return undefined;
    const since = this.clock.at(part.createdAt) - CLOCK_TOLERANCE_MS;
    const newer = messages.filter(({ id }) => toTime(id) >= since);
    const found = newer.find((message) => message.author.id === botId && shows(message, part));
    if (found) return { ref: found.id };
    return newer.length < messages.length || messages.length < LOOK_UP_LIMIT ? 'absent' : undefined;
  }

  /** Makes a call for a part. Repeats it without what Discord refuses of the part. */
  private callFor<T>(part: Part, make: (attempt: Attempt) => Promise<T>): Promise<T> {
    const first = { replyTo: part.place.replyTo, isPlain: false };
    return callWithFallbacks({ part, platform: 'Discord', log: this.link.log, first, make, lessen: withoutRefused });
  }
}

function withoutRefused(attempt: Attempt, error: DeliveryError): Attempt | undefined {
  if (!(error instanceof RefusedCallError)) return undefined;
  const fields = error.details as readonly string[];
  const isTarget = error.code === NO_HISTORY || fields.includes('message_reference');
  if (attempt.replyTo !== undefined && isTarget) return { ...attempt, replyTo: undefined };
  return !attempt.isPlain && fields.includes('content') ? { ...attempt, isPlain: true } : undefined;
}

/** The body of a call that makes or changes a message. */
interface Body {
  readonly content?: string;
  readonly attachments?: readonly object[];
  readonly components?: readonly object[];
  readonly allowed_mentions: object;
}

/** Returns the body of a call, without pings. */
function toBody(part: Part, { isPlain }: Attempt, file?: LoadedFile): Body {
  const allowed_mentions = { parse: [] };
  if (!file) return { content: toContent(part, isPlain), allowed_mentions };
  const description = file.caption !== undefined && { description: file.caption };
  return { attachments: [{ id: '0', ...description }], allowed_mentions };
}

/** Returns the buttons of a part in one row; none takes those of the message away. */
function toComponents({ buttons = [] }: Part): readonly object[] {
  const components = buttons.map(({ text, data }) => ({ type: 2, style: 2, label: text, custom_id: data }));
  return components.length === 0 ? [] : [{ type: 1, components }];
}

/** Returns the text of a part, with markup if it fits. */
function toContent({ texts }: Part, isPlain: boolean): string {
  const marked = isPlain ? '' : markUp(texts);
  return isPlain || marked.length > MAX_LENGTH ? toPlainText(texts) : marked;
}

function toReference({ replyTo }: Attempt) {
  return replyTo === undefined ? {} : { message_reference: { message_id: replyTo, fail_if_not_exists: false } };
}

/** Returns whether a message is a part, as it is now or as it was when it had less text. */
function shows({ content = '', attachments = [] }: Message, part: Part): boolean {
  return fileOf(part) ? attachments.length > 0 : isBeginning(content, toContent(part, false));
}

/** Returns what a text has after the lines that are shown; with its fence, if it begins within a code block. */
function findRest(wanted: string, shown: string): string {
  if (wanted.startsWith(shown)) return openFence(shown) + wanted.slice(shown.length).trim();
  let same = 0;
  while (same < shown.length && wanted[same] === shown[same]) same++;
  const lines = wanted.lastIndexOf('\n', same) + 1;
  return openFence(wanted.slice(0, lines)) + wanted.slice(lines).trim();
}

function openFence(text: string): string {
  return (text.match(/^(?:> )*```/gm)?.length ?? 0) % 2 === 1 ? '```\n' : '';
}

/** Turns `not_sent` into `unknown` for a call after the message was sent, since the message would be sent once more. */
function rethrowAsSent(error: unknown): never {
  if (!(error instanceof DeliveryError) || error.outcome !== 'not_sent') throw error;
  throw new DeliveryError('unknown', error.message, undefined, { cause: error });
}
