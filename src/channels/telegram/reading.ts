import type { Message } from 'grammy/types';
import type { ReadMessage, Reading } from '../../core/channels/driver.js';
import { nameOrigin, readContent } from './content.js';
import { nameOf, toMessageId, topicOf, type Bot, type RawUpdate } from './updates.js';

/** Maximum length of a name, in UTF-16 units. */
const MAX_NAME_LENGTH = 200;

/** Reads what an update alone says: a file that goes with it is added by the caller. */
export function readUpdate(raw: RawUpdate, bot: Bot): Reading {
  if (raw.kind === 'press') return readPress(raw);
  const { message } = raw;
  const content = readContent(message, bot);
  if (!content) return { kind: 'ignored', reason: 'a service message, or of an unknown kind' };
  const thread = topicOf(message);
  const isGroup = message.chat.type !== 'private';
  return {
    kind: 'message',
    message: {
      content: content.text,
      ...nameSender(message),
      ...(thread !== undefined && { thread_id: thread }),
      ...(isGroup && { is_direct_mention: content.isMention }),
      ...readReply(message, bot),
      ...(message.sender_chat?.id === message.chat.id && { sender_is_admin: true }),
      ...(message.forward_origin && { metadata: { forwarded_from: nameOrigin(message.forward_origin) } }),
    },
  };
}

function readPress({ query }: Extract<RawUpdate, { kind: 'press' }>): Reading {
  const content = toCommand(query.data ?? '');
  if (content === undefined) return { kind: 'ignored', reason: 'a button that is not known' };
  const name = cleanName(nameOf(query.from));
  return { kind: 'message', message: { content, ...(name !== '' && { sender_name: name }) } };
}

/** Returns the command that a button stands for: `a:ID` approves, `d:ID` denies. */
function toCommand(data: string): string | undefined {
  const [, letter, id] = /^([ad]):(.+)$/s.exec(data) ?? [];
  return id === undefined ? undefined : `/${letter === 'a' ? 'approve' : 'deny'} ${id}`;
}

/** The first message of a topic is no message that one can reply to. */
function readReply(message: Message, bot: Bot): Partial<ReadMessage> {
  const target = message.reply_to_message;
  if (!target || target.forum_topic_created) return {};
  if (message.is_topic_message && target.message_id === message.message_thread_id) return {};
  return {
    reply_to: toMessageId(bot, message.chat.id, target.message_id),
    ...(target.from?.id === bot.id && message.chat.type !== 'private' && { is_reply_to_agent: true }),
  };
}

function nameSender({ from, sender_chat: chat, author_signature: signature }: Message): Partial<ReadMessage> {
  const given = chat ? `${chat.title ?? ''}${signature === undefined ? '' : ` (${signature})`}` : from && nameOf(from);
  const name = cleanName(given ?? '');
  return name === '' ? {} : { sender_name: name };
}

/** Removes what could disguise a name: control characters and those that turn the direction of a text. */
function cleanName(name: string): string {
  const clean = name
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replaceAll(/[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g, '')
    .trim();
  return clean.length <= MAX_NAME_LENGTH ? clean : `${clean.slice(0, MAX_NAME_LENGTH).toWellFormed()}…`;
}
