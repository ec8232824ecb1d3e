import { editIdOf, type Change, type ReactionChange, type Update } from '../../core/channels/driver.js';
import { toRaw, toRaws, toText, type Raw } from '../../core/channels/kit/raw.js';

/** The bot that an account speaks as. */
export interface Bot {
  /** The workspace that has installed the app, or the organisation. */
  readonly team: string;
  readonly enterprise?: string | undefined;
  readonly user: string;
}

/** A file of a post. */
export interface SharedFile {
  readonly id: string;
  readonly name?: string | undefined;
  readonly mimeType?: string | undefined;
  readonly url?: string | undefined;
  readonly sizeBytes?: number | undefined;
}

/** A post that a person has forwarded. */
export interface Forwarded {
  readonly text: string;
  readonly id?: string | undefined;
  readonly name?: string | undefined;
}

/** The {@link Update.raw} of a post: the same for each of the events that Slack sends for it. */
export interface Post {
  readonly kind: 'post';
  readonly user: string;
  /** The author belongs to another workspace. */
  readonly isExternal: boolean;
  readonly channel: string;
  readonly ts: string;
  readonly isDirect: boolean;
  /** As Slack sent it. */
  readonly text: string;
  /** The thread that it stands in. */
  readonly thread?: string | undefined;
  /** The thread is below a post of the bot. */
  readonly isBelowBot: boolean;
  readonly files: readonly SharedFile[];
  readonly forwarded: readonly Forwarded[];
}

/** The {@link Update.raw} of the press of a button. */
export interface Press {
  readonly kind: 'press';
  readonly user: string;
  readonly isExternal: boolean;
  readonly value: string;
}

/** The {@link Update.raw} of a reaction, with the fields that are read. */
export interface Reaction {
  readonly kind: 'reaction';
}

export type RawUpdate = Post | Press | Reaction;

/** The kind of an event: an update, or one that the driver handles or ignores. */
export type Sorted =
  | { readonly kind: 'update'; readonly update: Update; readonly clientId?: string | undefined }
  /** The app was removed from the workspace, or its token revoked. */
  | { readonly kind: 'revoked'; readonly reason: string }
  | { readonly kind: 'ignored'; readonly reason: string };

/** How posts become updates. */
export interface SortOptions {
  readonly bot: Bot;
  readonly repliesInThread: boolean;
  /** False where every post of a channel is for the agent. */
  readonly requiresMention: boolean;
}

/** The subtypes of posts that a person or a bot has written. */
const WRITTEN = new Set<unknown>([undefined, 'file_share', 'thread_broadcast', 'me_message', 'bot_message']);

const ignored = (reason: string): Sorted => ({ kind: 'ignored', reason });

/** Returns the workspace whose installation of the app an event is for. */
export function findTeam(envelope: Raw): string | undefined {
  const [first = {}] = toRaws(envelope['authorizations']);
  return (
    toText(first['team_id']) ??
    toText(first['enterprise_id']) ??
    toText(envelope['context_team_id']) ??
    toText(toRaw(envelope['team'])['id']) ??
    toText(envelope['team_id'])
  );
}

/** Returns the ID of a message, as in `message_in`. */
export function toMessageId({ team }: Bot, channel: string, ts: string): string {
  return `slack:${team}:${channel}:${ts}`;
}

/** Returns a time of Slack in Unix milliseconds. @throws Error if the text is not a time */
export function toTime(ts: string): number {
  if (!/^\d{1,12}\.\d{1,9}$/.test(ts)) throw new Error(`not a time: ${JSON.stringify(ts)}`);
  return Math.floor(Number(ts) * 1_000);
}

/**
 * Decides what an event, or the press of a button, is before anything of it is stored.
 * @throws Error when a field is missing
 */
export function sortEvent(envelope: Raw, options: SortOptions): Sorted {
  if (envelope['type'] === 'block_actions') return sortPress(envelope, options.bot);
  const event = toRaw(envelope['event']);
  const { type, subtype } = event;
  if (type === 'tokens_revoked' || type === 'app_uninstalled') return { kind: 'revoked', reason: type };
  if (type === 'app_mention') {
    const channel = toText(event['channel']) ?? '';
    return channel.startsWith('D') ? ignored('a mention in a direct chat') : sortPost(event, envelope, options);
  }
  if (type === 'reaction_added' || type === 'reaction_removed')
    return sortReaction(event, envelope, options.bot, type === 'reaction_added' ? 'added' : 'removed');
  if (type !== 'message') return ignored(`an event of the type ${String(type)}`);
  if (subtype === 'message_changed') return sortEdit(event, envelope, options);
  if (subtype === 'message_deleted') return sortDeletion(event, envelope, options);
  return WRITTEN.has(subtype)
    ? sortPost(event, envelope, options)
    : ignored(`a message of the type ${String(subtype)}`);
}

/** Sorts a post as it stands in the history of a chat. */
export function sortPost(event: Raw, envelope: Raw, options: SortOptions): Sorted {
  const { bot, repliesInThread, requiresMention } = options;
  const isBot = event['bot_id'] !== undefined;
  const user = toText(event['user']) ?? (isBot ? toText(event['bot_id']) : undefined);
  if (!WRITTEN.has(event['subtype'])) return ignored('a post of Slack itself');
  if (user === undefined || user === bot.user) return ignored('a post without an author, or of the bot');
  const authorTeam = findAuthorTeam(event, envelope, bot);
  const post = toPost(event, user, authorTeam, bot);
  const sender = toSender(user, authorTeam);
  const isAddressed = !requiresMention || post.text.includes(`<@${bot.user}`);
  const opensThread = repliesInThread && !post.isDirect && isAddressed;
  const thread = post.thread ?? (opensThread ? post.ts : undefined);
  return {
    kind: 'update',
    update: {
      id: toMessageId(bot, post.channel, post.ts),
      sender,
      ...(isBot && { isBot }),
      ...toWhere(post.channel, post.isDirect, thread, sender),
      sentAt: toTime(post.ts),
      raw: post,
    },
    clientId: toText(event['client_msg_id']) && `${user} ${String(event['client_msg_id'])}`,
  };
}

/** An edit has another text or other files than before; a preview of a link is none. */
function sortEdit(event: Raw, envelope: Raw, options: SortOptions): Sorted {
  const [after, before] = [toRaw(event['message']), toRaw(event['previous_message'])];
  if (contentOf(after) === contentOf(before)) return ignored('an edit without a visible change');
  const editedAt = toText(toRaw(after['edited'])['ts']) ?? toText(event['event_ts']) ?? '';
  return toChange(sortPost(inChannel(after, event), envelope, options), 'edit', editedAt);
}

function sortDeletion(event: Raw, envelope: Raw, options: SortOptions): Sorted {
  const before = inChannel(toRaw(event['previous_message']), event);
  return toChange(sortPost(before, envelope, options), 'deletion', toText(event['event_ts']) ?? '');
}

function toChange(sorted: Sorted, kind: Change['kind'], at: string): Sorted {
  if (sorted.kind !== 'update') return sorted;
  const { id: messageId } = sorted.update;
  const id = kind === 'edit' ? editIdOf(messageId, at) : `${messageId}:deleted`;
  return { kind: 'update', update: { ...sorted.update, id, change: { kind, messageId }, sentAt: toTime(at) } };
}

function sortReaction(event: Raw, envelope: Raw, bot: Bot, action: ReactionChange['action']): Sorted {
  const { channel, ts } = toRaw(event['item']);
  const [user, emoji, at] = [toText(event['user']), toText(event['reaction']), toText(event['event_ts']) ?? ''];
  const [chat, ref] = [toText(channel), toText(ts)];
  if (!user || !emoji || !chat || !ref || user === bot.user) return ignored('a reaction to something else');
  const messageId = toMessageId(bot, chat, ref);
  return {
    kind: 'update',
    update: {
      id: `${messageId}:reaction:${user}:${at}`,
      sender: toSender(user, findAuthorTeam(event, envelope, bot)),
      ...toWhere(chat, chat.startsWith('D'), undefined),
      sentAt: toTime(at),
      reaction: { action, messageId, ref, emoji: `:${emoji}:` },
      raw: { kind: 'reaction' } satisfies Reaction,
    },
  };
}

/** Returns the group and the place of an update. */
function toWhere(
  chat: string,
  isDirect: boolean,
  thread: string | undefined,
  person?: string,
): Pick<Update, 'groupId' | 'place'> {
  const place = { chat, ...(thread !== undefined && { thread }) };
  if (isDirect) return { place };
  return { groupId: chat, place: { ...place, ...(person !== undefined && { person }), isGroup: true } };
}

const inChannel = (message: Raw, { channel, channel_type: type }: Raw): Raw => ({
  ...message,
  channel,
  channel_type: type,
});

function contentOf(message: Raw): string {
  const files = toRaws(message['files']).map(({ id }) => id);
  return JSON.stringify([message['text'], files]);
}

/** The press of a button is a message of the person who has pressed it. */
function sortPress(payload: Raw, bot: Bot): Sorted {
  const [action = {}] = toRaws(payload['actions']);
  const user = toRaw(payload['user']);
  const [id, channel] = [toText(user['id']), toText(toRaw(payload['channel'])['id'])];
  const [value, at] = [toText(action['value']), toText(action['action_ts'])];
  if (id === undefined || channel === undefined || value === undefined || at === undefined)
    return ignored('a button without a meaning');
  const thread = toText(toRaw(payload['message'])['thread_ts']);
  const team = toText(user['team_id']);
  const authorTeam = team === bot.team || team === undefined ? undefined : team;
  return {
    kind: 'update',
    update: {
      id: `${toMessageId(bot, channel, at)}:press`,
      sender: toSender(id, authorTeam),
      ...toWhere(channel, channel.startsWith('D'), thread),
      sentAt: toTime(at),
      raw: { kind: 'press', user: id, isExternal: authorTeam !== undefined, value } satisfies Press,
    },
  };
}

function toPost(event: Raw, user: string, authorTeam: string | undefined, bot: Bot): Post {
  const [channel, ts] = [toText(event['channel']), toText(event['ts'])];
  if (channel === undefined || ts === undefined) throw new Error('a field is missing');
  const thread = toText(event['thread_ts']);
  return {
    kind: 'post',
    user,
    isExternal: authorTeam !== undefined,
    channel,
    ts,
    isDirect: event['channel_type'] === 'im' || channel.startsWith('D'),
    text: toText(event['text']) ?? '',
    ...(thread !== undefined && { thread }),
    isBelowBot: event['parent_user_id'] === bot.user,
    files: toRaws(event['files']).flatMap(toFile),
    forwarded: toRaws(event['attachments']).flatMap(toForwarded),
  };
}

function toFile({ id, name, mimetype, size, file_access: access, ...file }: Raw): SharedFile[] {
  const fileId = toText(id);
  if (fileId === undefined) return [];
  const url = toText(file['url_private_download']) ?? toText(file['url_private']);
  return [
    {
      id: fileId,
      name: toText(name),
      mimeType: toText(mimetype),
      // In shared channels the file has to be asked for.
      url: access === 'check_file_info' ? undefined : url,
      sizeBytes: typeof size === 'number' ? size : undefined,
    },
  ];
}

function toForwarded({ is_share: isShare, text, fallback, author_id: id, author_name: name }: Raw): Forwarded[] {
  if (isShare !== true) return [];
  return [{ text: toText(text) ?? toText(fallback) ?? '', id: toText(id), name: toText(name) }];
}

/** Returns the workspace of an author who is not of ours; undefined for one of ours. */
function findAuthorTeam(event: Raw, envelope: Raw, { team, enterprise }: Bot): string | undefined {
  const found = toText(event['user_team']) ?? toText(event['team']) ?? toText(envelope['team_id']);
  return found === team || found === enterprise ? undefined : found;
}

/** IDs of people are unique within their workspace only. */
function toSender(user: string, authorTeam: string | undefined): string {
  return authorTeam === undefined ? user : `${authorTeam}/${user}`;
}
