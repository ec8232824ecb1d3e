import type { ReadMessage, Reading, Update } from '../../core/channels/driver.js';
import { nameAuthor, quote, readPress, UNREADABLE } from '../../core/channels/kit/readings.js';
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
  const { name, isAdmin } = raw.isExternal ? {} : await context.people.find(`@${raw.user}`);
  const author = nameAuthor(name, isAdmin);
  if (raw.kind === 'press') return readPress(raw.value, update.place.thread, author);
  const reading = await readPost(update, raw, context);
  return reading.kind === 'message' ? { ...reading, message: { ...reading.message, ...author } } : reading;
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
  return { kind: 'ignored', reason: 'a post without text and files', ...(isDirect && { note: UNREADABLE }) };
}
