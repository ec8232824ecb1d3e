import { cleanName } from '../../core/channels/kit/clean-name.js';
import type { ReadMessage, Reading, Update } from '../../core/channels/driver.js';
import { nameAuthor, quote, UNREADABLE } from '../../core/channels/kit/readings.js';
import { kindOf, type FileRef } from '../../core/channels/kit/message-files.js';
import { toMessageId, type Message, type RawMessage, type SharedFile } from './updates.js';

/** `message_reference.type` of a message that was forwarded. */
const FORWARD = 1;
/** Mentions of a user, a role or a channel, and emoji of a server. Discord's own form, not Markdown. */
const TOKEN = /<(?<sigil>@!?|@&|a?:(?<emoji>\w{2,32}):)(?<id>\d{15,21})>(?<space>[ \t]*)/g;

/** Reads what the update of a message alone says: files that go with it are added by the caller. */
export function readMessage({ place, raw }: Update, botId: string): Reading {
  const { message, botRole, isAdmin } = raw as RawMessage;
  const { text, isMention } = readText(message, botId, botRole);
  const content = text === '' ? describe(message) : text;
  if (content === '' && !isMention && listFiles(message).length === 0) return nameUnread(place.isGroup);
  const { member, author } = message;
  return {
    kind: 'message',
    message: {
      content,
      ...nameAuthor(member?.nick ?? author.global_name ?? author.username, isAdmin),
      ...(place.thread !== undefined && { thread_id: place.thread }),
      ...(place.isGroup && { is_direct_mention: isMention }),
      ...readReply(message, botId),
      ...(findForwarded(message) && { metadata: { forwarded_from: nameOrigin(message) } }),
    },
  };
}

/** Returns the files of a message, and of one that was forwarded. */
export function listFiles(message: Message): FileRef[] {
  return [message.attachments, findForwarded(message)?.attachments].flatMap((all) => (all ?? []).map(toFile));
}

function toFile({ url, filename, size, content_type: type }: SharedFile): FileRef {
  return { id: url, kind: kindOf(type), name: filename, sizeBytes: size };
}

function findForwarded({ message_reference: reference, message_snapshots: snapshots }: Message) {
  return reference?.type === FORWARD ? snapshots?.[0]?.message : undefined;
}

/** Returns the text of a message without the mention of the bot. Forwarded words count as a quotation. */
function readText(message: Message, botId: string, botRole: string | undefined): { text: string; isMention: boolean } {
  const { content = '', mentions = [], mention_roles: roles = [] } = message;
  let isMention = false;
  const replace = (token: string, sigil: string, emoji: string | undefined, id: string, space: string): string => {
    if (emoji !== undefined) return `:${emoji}:${space}`;
    const user = sigil === '@&' ? undefined : mentions.find((one) => one.id === id);
    const isOwn = sigil === '@&' ? id === botRole && roles.includes(id) : id === botId && user !== undefined;
    if (isOwn) isMention = true;
    if (isOwn) return '';
    return user ? `@${cleanName(user.global_name ?? user.username ?? id)}${space}` : token;
  };
  const own = content.replaceAll(TOKEN, replace).trim();
  const quoted = quote(findForwarded(message)?.content ?? '');
  return { text: [own, quoted].filter((text) => text !== '').join('\n'), isMention };
}

/** Puts a kind without text into words. */
function describe({ sticker_items: stickers = [], poll }: Message): string {
  if (poll) {
    const answers = poll.answers.map(({ poll_media: { text } }) => text ?? '');
    return `[poll: ${poll.question.text ?? ''} / ${answers.join(', ')}]`;
  }
  return stickers.map(({ name }) => `[sticker: ${cleanName(name)}]`).join(' ');
}

function nameUnread(isGroup: boolean | undefined): Reading {
  const reason = 'a message without a text';
  return { kind: 'ignored', reason, ...(!isGroup && { note: UNREADABLE }) };
}

function readReply(message: Message, botId: string): Partial<ReadMessage> {
  const { message_reference: reference, referenced_message: target, guild_id: guild } = message;
  if (reference?.message_id === undefined || reference.type === FORWARD) return {};
  return {
    reply_to: toMessageId(reference.message_id),
    ...(target?.author.id === botId && guild !== undefined && { is_reply_to_agent: true }),
  };
}

function nameOrigin({ message_reference: reference }: Message): Readonly<Record<string, unknown>> {
  return { channel_id: reference?.channel_id, message_id: reference?.message_id };
}
