import type { Message, MessageEntity, MessageOrigin } from '@grammyjs/types';
import type { FileRef } from '../../core/channels/kit/message-files.js';
import type { Attachment } from '../../protocol/domain.js';
import { nameOf, type Bot } from './people.js';

/** The text of a message, without the mention of the bot. */
export interface Content {
  readonly text: string;
  readonly isMention: boolean;
}

/**
 * Returns the text of a message; undefined for a kind that is not known. Entities are taken by their places in the text as
 * it came, before anything of it changes.
 */
export function readContent(message: Message, bot: Bot): Content | undefined {
  const text = message.text ?? message.caption;
  if (text === undefined) {
    const described = describe(message) ?? (findFile(message) ? '' : undefined);
    return described === undefined ? undefined : { text: described, isMention: false };
  }
  // Mentions and commands in forwarded words do not count.
  if (message.forward_origin) return { text: quote(text), isMention: false };
  return withoutMention(text, message.entities ?? message.caption_entities ?? [], bot);
}

/** Names who wrote what was forwarded. */
export function nameOrigin(origin: MessageOrigin): Record<string, string> {
  switch (origin.type) {
    case 'user':
      return { id: String(origin.sender_user.id), name: nameOf(origin.sender_user) };
    case 'hidden_user':
      return { name: origin.sender_user_name };
    case 'chat':
      return { id: String(origin.sender_chat.id), name: origin.sender_chat.title ?? '' };
    case 'channel':
      return { id: String(origin.chat.id), name: origin.chat.title };
  }
}

/** Returns the file of a message: of a photo the largest size. */
export function findFile(message: Message): FileRef | undefined {
  const photo = message.photo?.at(-1);
  if (photo) return { id: photo.file_id, kind: 'image', sizeBytes: photo.file_size };
  const [kind, file] = listFiles(message).find(([, found]) => found) ?? [];
  if (!kind || !file) return undefined;
  return { id: file.file_id, kind, name: file.file_name, sizeBytes: file.file_size };
}

interface SentFile {
  readonly file_id: string;
  readonly file_name?: string;
  readonly file_size?: number;
}

function listFiles(message: Message): [Attachment['kind'], SentFile | undefined][] {
  return [
    ['audio', message.voice],
    ['audio', message.audio],
    ['video', message.animation],
    ['video', message.video],
    ['video', message.video_note],
    ['file', message.document],
  ];
}

/** Puts a kind without text into words. */
function describe({ venue, location, contact, sticker, poll, dice }: Message): string | undefined {
  const place = venue?.location ?? location;
  if (place) {
    const at = `${place.latitude.toFixed(5)}, ${place.longitude.toFixed(5)}`;
    return venue ? `[location ${at}: ${venue.title}, ${venue.address}]` : `[location ${at}]`;
  }
  if (contact) {
    const name = [contact.first_name, contact.last_name].filter(Boolean).join(' ');
    return `[contact ${name} ${contact.phone_number}]`;
  }
  if (sticker) return `[sticker: ${sticker.emoji ?? sticker.set_name ?? 'without a name'}]`;
  if (poll) return `[poll: ${poll.question} / ${poll.options.map(({ text }) => text).join(', ')}]`;
  return dice ? `[dice: ${dice.emoji} ${dice.value}]` : undefined;
}

const quote = (text: string) => text.replaceAll(/^/gm, '> ');

/** Takes mentions of the bot out of a text, from the end to the front, and writes out the targets of links. */
function withoutMention(raw: string, entities: readonly MessageEntity[], bot: Bot): Content {
  let text = raw;
  let isMention = false;
  for (const entity of entities.toSorted((a, b) => b.offset - a.offset)) {
    const end = entity.offset + entity.length;
    const name = raw.slice(entity.offset, end);
    if (isOwn(entity, name, bot)) {
      isMention = true;
      text = text.slice(0, entity.offset) + text.slice(end).replace(/^[ \t]+/, '');
    } else if (entity.type === 'bot_command' && entity.offset === 0 && isOwnCommand(name, bot)) {
      isMention = true;
      text = text.slice(0, name.indexOf('@')) + text.slice(end);
    } else if (entity.type === 'text_link') {
      text = `${text.slice(0, end)} (${entity.url})${text.slice(end)}`;
    }
  }
  return { text: text.trim(), isMention };
}

function isOwn(entity: MessageEntity, name: string, bot: Bot): boolean {
  if (entity.type === 'text_mention') return entity.user.id === bot.id;
  return entity.type === 'mention' && isSame(name.slice(1), bot.username);
}

function isOwnCommand(command: string, bot: Bot): boolean {
  const at = command.indexOf('@');
  return at > 0 && isSame(command.slice(at + 1), bot.username);
}

const isSame = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();
