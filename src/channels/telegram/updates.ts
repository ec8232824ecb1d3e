import type {
  CallbackQuery,
  Chat,
  Message,
  MessageReactionUpdated,
  ReactionType,
  Update as BotUpdate,
} from '@grammyjs/types';
import { editIdOf, type Place, type ReactionChange, type Update } from '../../core/channels/driver.js';
import { findFile } from './content.js';
import type { Bot } from './people.js';

/** Time after the last item of an album in which another one may come, in milliseconds. */
const ALBUM_WAIT_MS = 1_000;
/** The {@link Update.raw}: the kind of the update, and the object as Telegram sent it. */
export type RawUpdate =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'press'; readonly query: CallbackQuery }
  /** Nothing more is read of a reaction. */
  | { readonly kind: 'reaction' };

/** One update, as the driver reads it. */
export type Sorted =
  | { readonly kind: 'update'; readonly update: Update }
  /** The reactions of a person to a message have changed: one update for each that came or went. */
  | { readonly kind: 'reactions'; readonly updates: readonly Update[] }
  /** A person has come, gone, or got other rights. */
  | { readonly kind: 'members'; readonly chat: number }
  /** A group has become a supergroup. */
  | { readonly kind: 'moved'; readonly from: string; readonly to: string }
  | { readonly kind: 'ignored'; readonly reason: string };

const ignored = (reason: string): Sorted => ({ kind: 'ignored', reason });

/** The kinds of update that are asked for. Telegram's own choice would contain chats that are not the bot's. */
export const ALLOWED_UPDATES = [
  'message',
  'edited_message',
  'callback_query',
  'message_reaction',
  'chat_member',
  'my_chat_member',
] as const;

/**
 * Decides what an update is, before anything of it is stored. Fields that are missing make it ignored. The press of a button
 * has no time of its own and gets `now`, in Unix milliseconds.
 */
export function sortUpdate(raw: BotUpdate, bot: Bot, now: number): Sorted {
  if (raw.message) return sortMessage(raw.message, bot);
  if (raw.edited_message) return sortEdit(raw.edited_message, bot);
  if (raw.callback_query) return sortPress(raw.callback_query, bot, now);
  if (raw.message_reaction) return sortReactions(raw.message_reaction, bot, raw.update_id);
  const members = raw.chat_member ?? raw.my_chat_member;
  if (members) return { kind: 'members', chat: members.chat.id };
  const kind = Object.keys(raw).find((key) => key !== 'update_id');
  return ignored(`a ${kind ?? 'nameless'} update`);
}

/** A person in a group. */
export interface Member {
  readonly chat: number;
  readonly user: number;
}

/** Returns the author of an update in a group; undefined in a direct chat, and for one who is not a person. */
export function findMember(raw: RawUpdate): Member | undefined {
  if (raw.kind === 'reaction') return undefined;
  const [chat, user] =
    raw.kind === 'press' ? [raw.query.message?.chat, raw.query.from] : [raw.message.chat, raw.message.from];
  const isAnonymous = raw.kind === 'message' && raw.message.sender_chat !== undefined;
  if (!chat || !user || chat.type === 'private' || isAnonymous) return undefined;
  return { chat: chat.id, user: user.id };
}

/** Returns the ID of a message, as in `message_in`. */
export function toMessageId(bot: Bot, chat: number, message: number): string {
  return `telegram:${bot.id}:${chat}:${message}`;
}

function sortMessage(message: Message, bot: Bot): Sorted {
  if (![message.chat.id, message.message_id].every(isPresent)) throw new Error('a field is missing');
  const { chat, from, sender_chat: senderChat, message_id: id } = message;
  if (message.migrate_to_chat_id !== undefined) return moved(chat.id, message.migrate_to_chat_id);
  if (message.migrate_from_chat_id !== undefined) return moved(message.migrate_from_chat_id, chat.id);
  const reason = findReasonToIgnore(message);
  if (reason !== undefined) return ignored(reason);
  const update = {
    id: toMessageId(bot, chat.id, id),
    sender: String(senderChat?.id ?? from?.id),
    ...groupOf(chat),
    place: placeOf(message),
    sentAt: toTime(message.date),
    visible: [message.text, message.caption, findFile(message)?.id],
    ...(from?.is_bot && !senderChat && { isBot: true }),
    ...(message.media_group_id !== undefined && {
      join: { key: `album:${message.media_group_id}`, waitMs: ALBUM_WAIT_MS },
    }),
    raw: { kind: 'message', message } satisfies RawUpdate,
  };
  return { kind: 'update', update };
}

/** An edit is a message of its own, by the time of the edit. */
function sortEdit(message: Message, bot: Bot): Sorted {
  const sorted = sortMessage(message, bot);
  if (sorted.kind !== 'update' || message.edit_date === undefined) return sorted;
  const { join: _, id: messageId, ...update } = sorted.update;
  const change = { kind: 'edit', messageId } as const;
  const id = editIdOf(messageId, message.edit_date);
  return { kind: 'update', update: { ...update, id, change, sentAt: toTime(message.edit_date) } };
}

function findReasonToIgnore(message: Message): string | undefined {
  const { chat, from, sender_chat: senderChat } = message;
  if (message.business_connection_id !== undefined || 'guest_query_id' in message) return "not the bot's chat";
  if (message.is_automatic_forward || chat.type === 'channel') return 'a post of a channel';
  return !from && !senderChat ? 'a message without an author' : undefined;
}

/** @throws Error if the number is not a time */
function toTime(seconds: number): number {
  if (!Number.isSafeInteger(seconds)) throw new Error('the date is none');
  return seconds * 1_000;
}

const isPresent = (value: unknown) => typeof value === 'number' || typeof value === 'string';

/** The press of a button is a message of the person who has pressed it. */
function sortPress(query: CallbackQuery, bot: Bot, now: number): Sorted {
  const { message, from, data } = query;
  if (!message || data === undefined) return ignored('a button without a message');
  const update = {
    id: `telegram:${bot.id}:cb:${query.id}`,
    sender: String(from.id),
    ...groupOf(message.chat),
    place: placeOf(message),
    sentAt: now,
    raw: { kind: 'press', query } satisfies RawUpdate,
  };
  return { kind: 'update', update };
}

/** Telegram sends all reactions of the person, before and after. An anonymous one has no person. */
function sortReactions(changed: MessageReactionUpdated, bot: Bot, updateId: number): Sorted {
  const { chat, message_id: ref, user, date } = changed;
  if (!user) return ignored('a reaction without a person');
  const before = changed.old_reaction.flatMap(nameReaction);
  const after = changed.new_reaction.flatMap(nameReaction);
  const messageId = toMessageId(bot, chat.id, ref);
  const toUpdate = (action: ReactionChange['action'], emoji: string): Update => ({
    id: `${messageId}:${action}:${emoji}:${updateId}`,
    sender: String(user.id),
    ...(user.is_bot && { isBot: true }),
    ...groupOf(chat),
    place: { chat: String(chat.id), ...(chat.type !== 'private' && { isGroup: true }) },
    sentAt: toTime(date),
    reaction: { action, messageId, ref: String(ref), emoji },
    raw: { kind: 'reaction' } satisfies RawUpdate,
  });
  return {
    kind: 'reactions',
    updates: [
      ...before.filter((emoji) => !after.includes(emoji)).map((emoji) => toUpdate('removed', emoji)),
      ...after.filter((emoji) => !before.includes(emoji)).map((emoji) => toUpdate('added', emoji)),
    ],
  };
}

/** Returns the name of a reaction; none for one that was paid. */
function nameReaction(reaction: ReactionType): string[] {
  if (reaction.type === 'emoji') return [reaction.emoji];
  return reaction.type === 'custom_emoji' ? [`:${reaction.custom_emoji_id}:`] : [];
}

/** The topic of a message. Replies have a thread ID too, but no topic; the general topic has none. */
export function topicOf({ is_topic_message: isTopic, message_thread_id: thread }: Message): string | undefined {
  return isTopic && thread !== undefined && thread !== 1 ? String(thread) : undefined;
}

function placeOf(message: Message): Place {
  const thread = topicOf(message);
  const isGroup = message.chat.type !== 'private';
  return {
    chat: String(message.chat.id),
    ...(thread !== undefined && { thread }),
    ...(isGroup && { replyTo: String(message.message_id), isGroup }),
  };
}

function groupOf({ type, id }: Chat): { groupId?: string } {
  return type === 'private' ? {} : { groupId: String(id) };
}

function moved(from: number, to: number): Sorted {
  return { kind: 'moved', from: String(from), to: String(to) };
}
