import type { Message } from '@grammyjs/types';
import type { ReadMessage, Reading } from '../../core/channels/driver.js';
import { nameAuthor, readPress, UNREADABLE } from '../../core/channels/kit/readings.js';
import { nameOrigin, readContent } from './content.js';
import { nameOf, type Bot } from './people.js';
import { toMessageId, topicOf, type RawUpdate } from './updates.js';

/** Fields that all kinds of message have. */
const COMMON_FIELDS = new Set(
  'message_id message_thread_id from sender_chat sender_boost_count sender_business_bot date chat is_topic_message reply_to_message author_signature'.split(
    ' ',
  ),
);
/** Kinds that a person sends and that have no text here. */
const SENT = new Set(['story', 'game', 'invoice', 'paid_media', 'giveaway', 'checklist', 'gift', 'video_chat_started']);

/** The reading of a message. */
export type MessageReading = Extract<Reading, { kind: 'message' }>;

/** Returns whether a message is a command, or the press of a button. */
export function isCommand({ message }: MessageReading): boolean {
  return message.content.startsWith('/') && !message.sender_is_admin;
}

/** Reads what the updates of one message alone say: files that go with them are added by the caller. */
export function readUpdates(all: readonly [RawUpdate, ...RawUpdate[]], bot: Bot): Reading {
  const readings = all.map((raw) => readUpdate(raw, bot));
  const [first] = readings as [Reading, ...Reading[]];
  if (first.kind !== 'message' || all.length === 1) return first;
  const messages = readings.flatMap((reading) => (reading.kind === 'message' ? reading.message : []));
  const isAlbum = all[0].kind === 'message' && all[0].message.media_group_id !== undefined;
  const texts = messages.map(({ content }, n) => (isAlbum && content !== '' ? `[${n + 1}] ${content}` : content));
  const content = texts.filter((text) => text !== '').join('\n');
  const isMention = messages.some((message) => message.is_direct_mention);
  return { kind: 'message', message: { ...first.message, content, ...(isMention && { is_direct_mention: true }) } };
}

function readUpdate(raw: RawUpdate, bot: Bot): Reading {
  if (raw.kind === 'reaction') return { kind: 'ignored', reason: 'a reaction has no text' };
  if (raw.kind === 'message') return readMessage(raw.message, bot);
  const { data = '', message, from } = raw.query;
  return readPress(data, message && topicOf(message), nameAuthor(nameOf(from)));
}

function readMessage(message: Message, bot: Bot): Reading {
  const content = readContent(message, bot);
  if (!content) return nameUnread(message);
  const thread = topicOf(message);
  const isGroup = message.chat.type !== 'private';
  return {
    kind: 'message',
    message: {
      content: content.text,
      ...nameAuthor(nameSender(message), message.sender_chat?.id === message.chat.id),
      ...(thread !== undefined && { thread_id: thread }),
      ...(isGroup && { is_direct_mention: content.isMention }),
      ...readReply(message, bot),
      ...(message.forward_origin && { metadata: { forwarded_from: nameOrigin(message.forward_origin) } }),
    },
  };
}

/** Events of a chat that are not messages need no note; content that a person has sent does. */
function nameUnread(message: Message): Reading {
  const kind = Object.keys(message).find((key) => !COMMON_FIELDS.has(key)) ?? 'nothing';
  const isSent = message.chat.type === 'private' && SENT.has(kind);
  return { kind: 'ignored', reason: `a message with ${kind}`, ...(isSent && { note: UNREADABLE }) };
}

/** A reference to the first message of a topic does not make a reply. */
function readReply(message: Message, bot: Bot): Partial<ReadMessage> {
  const target = message.reply_to_message;
  if (!target || target.forum_topic_created) return {};
  if (message.is_topic_message && target.message_id === message.message_thread_id) return {};
  return {
    reply_to: toMessageId(bot, message.chat.id, target.message_id),
    ...(target.from?.id === bot.id && message.chat.type !== 'private' && { is_reply_to_agent: true }),
  };
}

function nameSender({ from, sender_chat: chat, author_signature: signature }: Message): string | undefined {
  if (!chat) return from && nameOf(from);
  return `${chat.title ?? ''}${signature === undefined ? '' : ` (${signature})`}`;
}
