import { hash } from 'node:crypto';
import {
  editIdOf,
  type Change as MessageChange,
  type ReactionChange,
  type Update,
} from '../../core/channels/driver.js';
import { idOf, namesOf, readPerson, type Person } from './people.js';
import { toRaw, toRaws, toText, type Raw } from '../../core/channels/kit/raw.js';

/** The {@link Update.raw}: a message as the platform sent it, with the fields of its delivery. */
export interface RawMessage {
  readonly message: Raw;
  /** The name of the author, as it came. */
  readonly name: string;
  /** The number of the account, in digits. */
  readonly ownNumber: string;
  readonly person: Person;
}

/** The fate of a message that was sent. */
export interface Status {
  /** The platform's ID of the message. */
  readonly ref: string;
  /** The ID of the part, as it was sent along. */
  readonly partId: string | undefined;
  /** Only for a message that has failed. */
  readonly failure: { readonly code: number; readonly description: string } | undefined;
}

/** One item of a delivery, as the driver reads it. */
export type Event =
  | { readonly kind: 'update'; readonly update: Update }
  | { readonly kind: 'status'; readonly status: Status }
  /** A person has another number, or another business-scoped ID. */
  | { readonly kind: 'moved'; readonly from: string; readonly to: string }
  | { readonly kind: 'ignored'; readonly reason: string };

/** A change of a delivery: all of it concerns one number. */
export interface Change {
  readonly phoneNumberId: string;
  readonly field: string;
  readonly value: Raw;
}

/** Maximum length of the ID of a message (protocol.md section 2). */
const MAX_ID_LENGTH = 128;

const ignored = (reason: string): Event => ({ kind: 'ignored', reason });

/** Lists the changes of a delivery in their order: it may have several entries, for several numbers. */
export function listChanges(delivery: unknown): Change[] {
  return toRaws(toRaw(delivery)['entry']).flatMap((entry) =>
    toRaws(entry['changes']).map((change) => {
      const value = toRaw(change['value']);
      const phoneNumberId = toText(toRaw(value['metadata'])['phone_number_id']) ?? '';
      return { phoneNumberId, field: toText(change['field']) ?? '', value };
    }),
  );
}

/**
 * Decides what a change is, before anything of it is stored. Only the field `messages` is of people: others have what the
 * owner writes on a phone (`smb_message_echoes`), or old messages (`history`).
 */
export function sortChange({ field, value }: Change): Event[] {
  if (field !== 'messages') return [ignored(`a change of ${field === '' ? 'nothing' : field}`)];
  return [
    ...toRaws(value['statuses']).map((status): Event => ({ kind: 'status', status: readStatus(status) })),
    ...toRaws(value['messages']).map((message) => {
      try {
        return sortMessage(message, value);
      } catch {
        return ignored('it could not be understood');
      }
    }),
  ];
}

/** Returns the ID of a message, as in `message_in`. */
export function toMessageId(wamid: string): string {
  const id = `whatsapp:${wamid}`;
  return id.length <= MAX_ID_LENGTH ? id : `whatsapp:sha256:${hash('sha256', id, 'hex')}`;
}

function readStatus({ id, status, biz_opaque_callback_data: partId, errors }: Raw): Status {
  const [error = {}] = toRaws(errors);
  const description = toText(toRaw(error['error_data'])['details']) ?? toText(error['title']) ?? 'without a reason';
  return {
    ref: toText(id) ?? '',
    partId: toText(partId),
    failure: status === 'failed' ? { code: Number(error['code'] ?? 0), description } : undefined,
  };
}

function sortMessage(message: Raw, value: Raw): Event {
  if (message['type'] === 'system') return sortSystem(message);
  const [id, person] = [toText(message['id']), readPerson(message)];
  const sender = idOf(person);
  const seconds = Number(message['timestamp'] ?? Number.NaN);
  if (id === undefined || sender === undefined || !Number.isSafeInteger(seconds)) return ignored('a field is missing');
  const ownNumber = toDigits(toRaw(value['metadata'])['display_phone_number']);
  if (ownNumber !== '' && person.number === ownNumber) return ignored("the account's own message");
  const group = toText(message['group_id']);
  const change = readChange(message);
  const shown = change?.kind === 'edit' ? { ...message, ...toRaw(toRaw(message['edit'])['message']) } : message;
  const update = {
    id: change ? toChangeId(change, seconds) : toMessageId(id),
    sender,
    aliases: namesOf(person).filter((name) => name !== sender),
    ...(group !== undefined && { groupId: group }),
    // In a direct chat it is not quoted; it is marked as read.
    place: { chat: group ?? sender, replyTo: id, ...(group !== undefined && { isGroup: true }) },
    sentAt: seconds * 1_000,
    ...(change && { change }),
    ...readReaction(message),
    visible: [shown[String(shown['type'])]],
    raw: { message: shown, name: findName(value, person), ownNumber, person } satisfies RawMessage,
  };
  return { kind: 'update', update };
}

/** Returns a number as the platform writes it elsewhere. */
export function toDigits(number: unknown): string {
  return (toText(number) ?? '').replaceAll(/\D/g, '');
}

/** Returns the message that an edit or a deletion is about. */
function readChange({ type, edit, revoke }: Raw): MessageChange | undefined {
  const original = toText(toRaw(type === 'edit' ? edit : revoke)['original_message_id']);
  if (original === undefined || (type !== 'edit' && type !== 'revoke')) return undefined;
  return { kind: type === 'edit' ? 'edit' : 'deletion', messageId: toMessageId(original) };
}

function toChangeId({ kind, messageId }: MessageChange, seconds: number): string {
  return kind === 'edit' ? editIdOf(messageId, seconds) : `${messageId}:deleted`;
}

/** A reaction without an emoji was removed. */
function readReaction({ type, reaction }: Raw): { reaction?: ReactionChange } {
  const { message_id: id, emoji } = toRaw(reaction);
  const ref = toText(id);
  if (type !== 'reaction' || ref === undefined) return {};
  const given = toText(emoji);
  const action = given === undefined ? 'removed' : 'added';
  return { reaction: { action, messageId: toMessageId(ref), ref, emoji: given ?? '' } };
}

/** A person has changed the number, or the platform their business-scoped ID. */
function sortSystem(message: Raw): Event {
  const system = toRaw(message['system']);
  const person = readPerson(message);
  switch (system['type']) {
    case 'user_changed_user_id':
      return toMove(system['previous_user_id'], system['user_id']);
    case 'user_changed_number':
    case 'customer_changed_number':
      return toMove(person.number ?? person.userId, system['wa_id'] ?? system['new_wa_id']);
    default:
      return ignored('a system message');
  }
}

function toMove(before: unknown, after: unknown): Event {
  const [from, to] = [toText(before), toText(after)];
  return from === undefined || to === undefined ? ignored('a change without an ID') : { kind: 'moved', from, to };
}

/** Returns the name of a person from the contacts of the delivery. */
function findName({ contacts }: Raw, { number, userId }: Person): string {
  const contact = toRaws(contacts).find(
    ({ wa_id: id, user_id: user }) =>
      (userId !== undefined && user === userId) || (number !== undefined && id === number),
  );
  return toText(toRaw(contact?.['profile'])['name']) ?? '';
}
