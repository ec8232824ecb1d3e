import { editIdOf, type Update } from '../../core/channels/driver.js';
import type { Guild } from './guilds.js';

/** The first second of 2015, from which the IDs of Discord count, in Unix milliseconds. */
const EPOCH = 1_420_070_400_000;
/** Kinds of message that a person writes: a message, and a reply. */
const WRITTEN: ReadonlySet<number> = new Set([0, 19]);
/** Kinds of channel that are threads: of announcements, public, private. */
export const THREADS: ReadonlySet<number> = new Set([10, 11, 12]);
/** `flags` of a message that only one person sees. */
const EPHEMERAL = 1 << 6;

/** A person or a bot. */
export interface User {
  readonly id: string;
  readonly username?: string;
  readonly global_name?: string | null;
  readonly bot?: boolean;
  readonly system?: boolean;
}

/** A file of a message. */
export interface SharedFile {
  readonly id?: string;
  readonly url: string;
  readonly filename: string;
  readonly size?: number;
  readonly content_type?: string;
}

/** A message as an event or the REST API has it, as far as it is used. */
export interface Message {
  readonly id: string;
  readonly channel_id: string;
  readonly type: number;
  readonly author: User;
  readonly content?: string;
  readonly edited_timestamp?: string | null;
  readonly flags?: number;
  readonly mentions?: readonly User[];
  readonly mention_roles?: readonly string[];
  readonly attachments?: readonly SharedFile[];
  readonly sticker_items?: readonly { readonly name: string }[];
  readonly poll?: {
    readonly question: { readonly text?: string };
    readonly answers: readonly { readonly poll_media: { readonly text?: string } }[];
  };
  readonly webhook_id?: string;
  readonly message_reference?: { readonly type?: number; readonly message_id?: string; readonly channel_id?: string };
  readonly referenced_message?: { readonly author: User } | null;
  readonly message_snapshots?: readonly { readonly message: Pick<Message, 'content' | 'attachments'> }[];
  /** In events only, as the next two. */
  readonly guild_id?: string;
  readonly member?: { readonly nick?: string | null; readonly roles: readonly string[] };
  readonly channel_type?: number;
}

/** The {@link Update.raw} of a message: the message with the facts about its server. */
export interface RawMessage {
  readonly message: Message;
  /** The role that Discord has made for the bot in this server. */
  readonly botRole?: string | undefined;
  /** True for an author who may manage the server. */
  readonly isAdmin: boolean;
}

/** The {@link Update.raw} of the press of a button. */
export interface RawPress {
  readonly data: string;
  readonly name: string | undefined;
  readonly isAdmin: boolean;
}

/** A channel of a server, or a thread in one. */
export interface Channel {
  readonly type: number;
  readonly guild_id?: string;
  readonly parent_id?: string | null;
}

/** Returns the ID of a message, as in `message_in`. */
export const toMessageId = (id: string) => `discord:${id}`;

/** Returns the lowest ID that something of a time can have. @param time in Unix milliseconds */
export function toSnowflake(time: number): bigint {
  return BigInt(Math.max(0, Math.floor(time) - EPOCH)) << 22n;
}

/** Returns when something with an ID was made, in Unix milliseconds. */
export function toTime(id: string): number {
  return Number(BigInt(id) >> 22n) + EPOCH;
}

/**
 * Returns why a message is not one of a person; undefined for one that is. A preview of a link changes a message too, and is
 * no edit.
 */
export function findReasonToIgnore(message: Message, isEdit: boolean): string | undefined {
  const { type, author, flags = 0, edited_timestamp: editedAt } = message;
  if (isEdit && (!author || !editedAt)) return 'an edit without a visible change';
  if (!WRITTEN.has(type)) return `a message of type ${type}`;
  if (author.system) return "a message of Discord's";
  return (flags & EPHEMERAL) === 0 ? undefined : 'a message that only one person sees';
}

/** Where something happened, as an event says it. */
export type Where = Pick<Message, 'channel_id' | 'guild_id' | 'channel_type'>;

/** Returns whether only a look-up says in which channel of the server a message is: it may be in a thread. */
export function mayBeInThread({ guild_id: guild, channel_type: type }: Where): boolean {
  return guild !== undefined && (type === undefined || THREADS.has(type));
}

/**
 * Returns a message as an update. An edit is a message of its own, by the time of the edit.
 * @param parent the channel of the thread in which it is
 * @throws Error when a field is missing
 */
export function toUpdate(message: Message, isEdit: boolean, parent: string | undefined, guild?: Guild): Update {
  const { id, channel_id: chat, guild_id: guildId, author } = message;
  if (!/^\d+$/.test(id) || typeof chat !== 'string') throw new Error('a field is missing');
  const sentAt = isEdit ? Date.parse(message.edited_timestamp ?? '') : toTime(id);
  if (!Number.isFinite(sentAt)) throw new Error('the time is none');
  const messageId = toMessageId(id);
  return {
    id: isEdit ? editIdOf(messageId, sentAt) : messageId,
    sender: author.id,
    isBot: Boolean(author.bot) || message.webhook_id !== undefined,
    ...placeOf(chat, guildId, parent, id),
    sentAt,
    ...(isEdit && { change: { kind: 'edit', messageId } }),
    visible: [message.content, ...(message.attachments ?? []).map((file) => file.id)],
    raw: { message, botRole: guild?.botRole, isAdmin: isAdmin(message, guild) } satisfies RawMessage,
  };
}

/** Returns where something happened, and where a reply to it goes. */
export function placeOf(
  chat: string,
  guildId: string | undefined,
  parent: string | undefined,
  replyTo?: string,
): Pick<Update, 'groupId' | 'place'> {
  if (guildId === undefined) return { place: { chat } };
  const thread = parent === undefined ? {} : { thread: chat };
  return { groupId: parent ?? chat, place: { chat, ...thread, ...(replyTo && { replyTo }), isGroup: true } };
}

function isAdmin({ author, member }: Message, guild: Guild | undefined): boolean {
  if (!guild) return false;
  return guild.ownerId === author.id || Boolean(member?.roles.some((role) => guild.adminRoles.has(role)));
}
