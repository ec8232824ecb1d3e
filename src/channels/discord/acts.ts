import type { Update } from '../../core/channels/driver.js';
import { MANAGES } from './guilds.js';
import { placeOf, toMessageId, toTime, type Message, type RawPress, type User, type Where } from './updates.js';

/** `type` of an interaction with a button. */
const PRESS = 3;

/** A reaction as an event has it. */
export interface RawReaction extends Where {
  readonly message_id: string;
  readonly user_id: string;
  readonly member?: { readonly user?: User };
  readonly emoji: { readonly id: string | null; readonly name: string };
}

/** An interaction as an event has it. */
export interface RawInteraction extends Where {
  readonly id: string;
  readonly type: number;
  readonly token: string;
  readonly data?: { readonly custom_id?: string };
  readonly message?: Pick<Message, 'id'>;
  readonly user?: User;
  readonly member?: { readonly user: User; readonly nick?: string | null; readonly permissions?: string };
}

/**
 * Returns a reaction as an update. Discord gives it no ID, so it gets one by its event: the same when a session that is resumed
 * delivers it again, and another for the next reaction of the same kind.
 * @param event its session and its number in the session
 * @param now in Unix milliseconds: Discord gives it no time
 */
export function toReaction(
  raw: RawReaction,
  action: 'added' | 'removed',
  parent: string | undefined,
  event: string,
  now: number,
): Update {
  const { message_id: ref, user_id: sender, channel_id: chat, emoji, member } = raw;
  const name = emoji.id === null ? emoji.name : `:${emoji.name}:`;
  const messageId = toMessageId(ref);
  return {
    id: `${messageId}:${action}:${sender}:${name}:${event}`,
    sender,
    isBot: Boolean(member?.user?.bot),
    ...placeOf(chat, raw.guild_id, parent),
    sentAt: now,
    reaction: { action, messageId, ref, emoji: name },
    raw: {},
  };
}

/** Returns a deletion as an update. Discord does not say whose message it was. */
export function toDeletion(
  { id, channel_id: chat, guild_id: guildId }: Pick<Message, 'id' | 'channel_id' | 'guild_id'>,
  sender: string,
  parent: string | undefined,
  now: number,
): Update {
  const messageId = toMessageId(id);
  return {
    id: `${messageId}:deleted`,
    sender,
    ...placeOf(chat, guildId, parent),
    sentAt: now,
    change: { kind: 'deletion', messageId },
    raw: {},
  };
}

/** Returns the press of a button as an update of the person who pressed; undefined for another interaction. */
export function toPress(raw: RawInteraction, parent: string | undefined): Update | undefined {
  const { id, type, data, member, message, channel_id: chat, guild_id: guildId } = raw;
  const user = member?.user ?? raw.user;
  if (type !== PRESS || data?.custom_id === undefined || !user) return undefined;
  return {
    id: `discord:cb:${id}`,
    sender: user.id,
    ...placeOf(chat, guildId, parent, message?.id),
    sentAt: toTime(id),
    raw: {
      data: data.custom_id,
      name: member?.nick ?? user.global_name ?? user.username,
      isAdmin: (BigInt(member?.permissions ?? 0) & MANAGES) !== 0n,
    } satisfies RawPress,
  };
}
