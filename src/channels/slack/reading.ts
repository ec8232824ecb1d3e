import { cleanName } from '../../core/channels/clean-name.js';
import { commandOf, type ReadMessage, type Reading, type Update } from '../../core/channels/driver.js';
import { decode, listUnnamed, type Content } from './content.js';
import type { Bot, Forwarded, Post, RawUpdate } from './events.js';
import type { People } from './people.js';

/** What posts are read with. */
export interface ReadingContext {
  readonly bot: Bot;
  readonly people: Pick<People, 'find' | 'name'>;
  /** Returns whether the agent was addressed in the thread of an update, or has replied there. */
  takesPart(update: Update): Promise<boolean>;
}

/**
 * Reads what an update says, without its files. Names are looked up.
 * @throws DeliveryError when a look-up can be tried again; DriverError
 */
export async function readUpdate(update: Update, context: ReadingContext): Promise<Reading> {
  const raw = update.raw as RawUpdate;
  if (raw.kind === 'reaction') return { kind: 'ignored', reason: 'a reaction has no text' };
  const { name = '', isAdmin } = raw.isExternal ? { isAdmin: false } : await context.people.find(`@${raw.user}`);
  const clean = cleanName(name);
  const author = { ...(clean !== '' && { sender_name: clean }), ...(isAdmin && { sender_is_admin: true }) };
  const reading = raw.kind === 'press' ? readPress(update, raw.value) : await readPost(update, raw, context);
  return reading.kind === 'message' ? { ...reading, message: { ...reading.message, ...author } } : reading;
}

function readPress({ place: { thread } }: Update, value: string): Reading {
  const content = commandOf(value);
  if (content === undefined) return { kind: 'ignored', reason: 'a button that is not known' };
  return { kind: 'message', message: { content, ...(thread !== undefined && { thread_id: thread }) } };
}

async function readPost(update: Update, post: Post, context: ReadingContext): Promise<Reading> {
  const { text, isMention } = await readText(post.text, context);
  const quotes: string[] = [];
  for (const one of post.forwarded) quotes.push(quote((await readText(one.text, context)).text));
  const content = [text, ...quotes].filter((part) => part !== '').join('\n\n');
  if (content === '' && post.files.length === 0 && !isMention) return nameUnread(post);
  const { thread } = update.place;
  const isReply = !post.isDirect && !isMention && post.thread !== undefined && (await context.takesPart(update));
  return {
    kind: 'message',
    message: {
      content,
      ...(thread !== undefined && { thread_id: thread }),
      ...(!post.isDirect && { is_direct_mention: isMention }),
      ...(isReply && { is_reply_to_agent: true }),
      ...readMetadata(post),
    },
  };
}

async function readText(raw: string, { people, bot }: ReadingContext): Promise<Content> {
  return decode(raw, await people.name(listUnnamed(raw, bot)), bot);
}

const quote = (text: string) => (text === '' ? '' : text.replaceAll(/^/gm, '> '));

function readMetadata(post: Post): Pick<ReadMessage, 'metadata'> {
  const metadata = {
    ...(post.forwarded[0] && { forwarded_from: nameOrigin(post.forwarded[0]) }),
    ...(post.isExternal && { external: true }),
  };
  return Object.keys(metadata).length > 0 ? { metadata } : {};
}

function nameOrigin({ id, name }: Forwarded): Record<string, string> {
  return { ...(id !== undefined && { id }), ...(name !== undefined && { name }) };
}

function nameUnread({ isDirect }: Post): Reading {
  const note = 'I cannot read messages of this kind.';
  return { kind: 'ignored', reason: 'a post without text and files', ...(isDirect && { note }) };
}
