import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { ChannelLink, Part, Place } from '../../core/channels/driver.js';
import { fileOf } from '../../core/channels/message-files.js';
import { toPlainText } from '../../core/channels/text-length.js';
import { markUp } from './markup.js';
import { RefusedCallError, UNKNOWN_MESSAGE, type DiscordRest, type SentFile } from './rest.js';
import { toTime, type Message } from './updates.js';

/** Discord's limit of a text. It counts characters, of which UTF-16 units are never fewer. */
export const MAX_LENGTH = 2_000;
/** Discord compares a nonce with those of the past few minutes; this long, in milliseconds, is safe. */
export const NONCE_MS = 120_000;
const NONCE_LENGTH = 25;
/** Number of messages among which one is looked up: the newest. */
const LOOK_UP_LIMIT = 50;
/** A message may seem older than its part by this much, in milliseconds. */
const CLOCK_TOLERANCE_MS = 2_000;
const MAX_ALT_LENGTH = 1_024;
/** The bot may not read the message that it replies to. */
const NO_HISTORY = 160_002;
/** The ID of a message that was sent and deleted since. */
const DELETED = '0';

/** A part without what Discord has refused of it. */
interface Attempt {
  readonly replyTo: string | undefined;
  /** True after the text with markup was refused. */
  readonly isPlain: boolean;
}

/** Sends and changes messages. */
export class Outgoing {
  /** How much the clock of Discord is ahead, in milliseconds. */
  ahead = 0;

  constructor(
    private readonly rest: DiscordRest,
    private readonly link: Pick<ChannelLink, 'channel' | 'log' | 'openFile'>,
  ) {}

  /** Implements `Driver.send`. The nonce makes a part that is sent again appear once. */
  async send(part: Part): Promise<string> {
    const file = await this.openFile(part);
    const nonce = createHash('sha256').update(`${this.link.channel}:${part.id}`).digest('base64url');
    const once = { nonce: nonce.slice(0, NONCE_LENGTH), enforce_nonce: true };
    try {
      const path = `/channels/${part.place.chat}/messages`;
      const { id, content, wanted } = await this.callWithFallbacks(part, async (attempt) => {
        const body = { ...toBody(part, attempt), ...once, ...toReference(attempt) };
        const message = await this.rest.call<Message>('POST', path, body, file);
        return { ...message, wanted: body.content ?? '' };
      });
      // With a nonce that is known the message is the earlier one, which may show less.
      if (!file && content?.trim() !== wanted.trim()) await this.edit(id, part);
      return id;
    } catch (error) {
      if (error instanceof RefusedCallError && error.code === UNKNOWN_MESSAGE) return DELETED;
      throw error;
    }
  }

  /** Implements `Driver.edit`. */
  async edit(ref: string, part: Part): Promise<void> {
    if (ref === DELETED || fileOf(part)) return;
    const path = `/channels/${part.place.chat}/messages/${ref}`;
    await this.callWithFallbacks(part, (attempt) => this.rest.call('PATCH', path, toBody(part, attempt)));
  }

  /** Implements `Driver.remove`. That it is gone is a success. */
  async remove(ref: string, { chat }: Place): Promise<void> {
    if (ref === DELETED) return;
    try {
      await this.rest.call('DELETE', `/channels/${chat}/messages/${ref}`);
    } catch (error) {
      if (!(error instanceof RefusedCallError && error.code === UNKNOWN_MESSAGE)) throw error;
    }
  }

  /** Implements `Driver.lookUp`: the newest messages of the chat are compared by author, time and text. */
  async lookUp(part: Part, botId: string): Promise<{ readonly ref: string } | 'absent' | undefined> {
    let messages: readonly Message[];
    try {
      messages = await this.rest.call('GET', `/channels/${part.place.chat}/messages?limit=${LOOK_UP_LIMIT}`);
    } catch (error) {
      if (error instanceof RefusedCallError) return undefined;
      throw error;
    }
    const since = part.createdAt + this.ahead - CLOCK_TOLERANCE_MS;
    const newer = messages.filter(({ id }) => toTime(id) >= since);
    const found = newer.find((message) => message.author.id === botId && shows(message, part));
    if (found) return { ref: found.id };
    return newer.length < messages.length || messages.length < LOOK_UP_LIMIT ? 'absent' : undefined;
  }

  /** Makes a call for a part. Repeats it without what Discord refuses of the part. */
  private async callWithFallbacks<T>(part: Part, make: (attempt: Attempt) => Promise<T>): Promise<T> {
    let attempt: Attempt = { replyTo: part.place.replyTo, isPlain: false };
    for (;;) {
      const current = attempt;
      try {
        return await make(current);
      } catch (error) {
        if (!(error instanceof RefusedCallError)) throw error;
        const isTarget = error.code === NO_HISTORY || error.fields.includes('message_reference');
        if (current.replyTo !== undefined && isTarget) attempt = { ...current, replyTo: undefined };
        else if (!current.isPlain && error.fields.includes('content')) attempt = { ...current, isPlain: true };
        else throw error;
        this.link.log.warn({ part: part.id, error }, 'Discord refuses a part of a message; it is sent without');
      }
    }
  }

  /** Returns the file that a part is; undefined for text. @throws GatewayError NOT_FOUND */
  private async openFile(part: Part): Promise<SentFile | undefined> {
    const file = fileOf(part);
    if (!file) return undefined;
    const { mimeType, body } = await this.link.openFile(file.source ?? '');
    const name = `${file.kind}.${/[a-z0-9]+/.exec(mimeType.split('/')[1] ?? '')?.[0] ?? 'bin'}`;
    return { name, mimeType, bytes: new Uint8Array(await buffer(body)) };
  }
}

/** The body of a call that makes or changes a message. */
interface Body {
  readonly content?: string;
  readonly attachments?: readonly object[];
  readonly allowed_mentions: object;
}

/** Returns the body of a call, without pings. */
function toBody(part: Part, { isPlain }: Attempt): Body {
  const allowed_mentions = { parse: [] };
  const file = fileOf(part);
  if (!file) return { content: toContent(part, isPlain), allowed_mentions };
  const description = file.alt && { description: file.alt.slice(0, MAX_ALT_LENGTH).toWellFormed() };
  return { attachments: [{ id: '0', ...description }], allowed_mentions };
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
  if (fileOf(part)) return attachments.length > 0;
  const [shown, wanted] = [content, toContent(part, false)].map((text) => text.replaceAll(/[^\p{L}\p{N}]/gu, ''));
  return shown ? wanted?.startsWith(shown) === true : content.trim() === toContent(part, false).trim();
}
