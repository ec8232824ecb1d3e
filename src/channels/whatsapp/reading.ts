import { commandOf, type ReadMessage, type Reading } from '../../core/channels/driver.js';
import { nameAuthor, quote, UNREADABLE } from '../../core/channels/kit/readings.js';
import type { FileRef } from '../../core/channels/kit/message-files.js';
import { toDigits, toMessageId, type RawMessage } from './events.js';
import { toRaw, toRaws, toText, type Raw } from '../../core/channels/kit/raw.js';

/** Kinds of message that are files, with the kind of attachment. */
const FILES: ReadonlyMap<string, FileRef['kind']> = new Map([
  ['image', 'image'],
  ['audio', 'audio'],
  ['voice', 'audio'],
  ['video', 'video'],
  ['document', 'file'],
] as const);

/** Reads what a message alone says: its file is added by the caller. */
export function readMessage(raw: RawMessage): Reading {
  const { message } = raw;
  const text = readText(message);
  if (text === undefined)
    return { kind: 'ignored', reason: `a message of the kind ${String(message['type'])}`, note: UNREADABLE };
  const context = toRaw(message['context']);
  const isForwarded = context['forwarded'] === true || context['frequently_forwarded'] === true;
  return {
    kind: 'message',
    message: {
      // Commands in forwarded words do not count.
      content: isForwarded ? quote(text) : text,
      ...nameAuthor(raw.name),
      ...readReply(raw, context),
      // The platform does not say who has written it.
      ...(isForwarded && { metadata: { forwarded_from: {} } }),
    },
  };
}

/** Returns the file of a message, which the platform keeps. */
export function findFile({ message }: RawMessage): FileRef | undefined {
  const type = String(message['type']);
  const file = toRaw(message[type]);
  const id = toText(file['id']);
  const kind = FILES.get(type);
  return kind === undefined || id === undefined ? undefined : { id, kind, name: toText(file['filename']) };
}

/** A message that a person quotes may be their own. */
function readReply({ message, ownNumber }: RawMessage, { id, from }: Raw): Partial<ReadMessage> {
  const target = toText(id);
  if (target === undefined) return {};
  const isOwn = ownNumber !== '' && toDigits(from) === ownNumber;
  const isGroup = message['group_id'] !== undefined;
  return { reply_to: toMessageId(target), ...(isOwn && isGroup && { is_reply_to_agent: true }) };
}

/** Returns the text of a message, empty for a file without one; undefined for a kind that is not known. */
function readText(message: Raw): string | undefined {
  const type = String(message['type']);
  const body = toRaw(message[type]);
  if (FILES.has(type)) return toText(body['id']) === undefined ? undefined : (toText(body['caption']) ?? '');
  switch (type) {
    case 'text':
      return toText(body['body']);
    case 'sticker':
      return body['animated'] === true ? '[sticker: animated]' : '[sticker: a picture]';
    case 'location':
      return describeLocation(body);
    case 'contacts':
      return toRaws(message['contacts']).map(describeContact).join('\n') || undefined;
    case 'interactive':
      return readChoice(toRaw(body['button_reply'] ?? body['list_reply']));
    case 'button':
      return toText(body['text']);
    case 'order':
      return describeOrder(body);
    default:
      return undefined;
  }
}

/** The press of a button of the gateway is a command of the person who has pressed it. */
function readChoice({ id, title }: Raw): string | undefined {
  return commandOf(toText(id) ?? '') ?? toText(title);
}

function describeLocation({ latitude, longitude, name, address }: Raw): string | undefined {
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return undefined;
  const label = [toText(name), toText(address)].filter((text) => text !== undefined).join(', ');
  return `[location ${latitude.toFixed(5)}, ${longitude.toFixed(5)}${label === '' ? '' : `: ${label}`}]`;
}

function describeContact({ name, phones }: Raw): string {
  const numbers = toRaws(phones).flatMap(({ phone }) => toText(phone) ?? []);
  return `[contact ${[toText(toRaw(name)['formatted_name']) ?? '', ...numbers].join(' ').trim()}]`;
}

function describeOrder({ text, product_items: items }: Raw): string {
  const list = toRaws(items).map((item) => `${String(item['quantity'])} × ${String(item['product_retailer_id'])}`);
  return [`[order: ${list.join(', ')}]`, toText(text)].filter((line) => line !== undefined).join('\n');
}
