import { toText, type Raw } from '../../core/channels/kit/raw.js';

/** A person by the IDs in one message: a phone number, a business-scoped ID, or both. */
export interface Person {
  /** In digits. People may hide it. */
  readonly number?: string | undefined;
  /** For example `US.1349120000000000001`. */
  readonly userId?: string | undefined;
}

const NUMBER = /^[0-9]{1,32}$/;

/** Numbers that have two forms, with and without a digit that belongs to mobile phones: Mexico, Argentina, Brazil. */
const TWO_FORMS: readonly (readonly [long: RegExp, short: RegExp, digit: string])[] = [
  [/^(52)1(\d{10})$/, /^(52)(\d{10})$/, '1'],
  [/^(54)9(\d{10})$/, /^(54)(\d{10})$/, '9'],
  [/^(55\d\d)9(\d{8})$/, /^(55\d\d)(\d{8})$/, '9'],
];

export function isNumber(id: string): boolean {
  return NUMBER.test(id);
}

/** Returns the author of a message, or of a system message. */
export function readPerson({ from, from_user_id: userId }: Raw): Person {
  return { number: toText(from), userId: toText(userId) };
}

/** Returns the ID of a person in messages: the business-scoped one where there is one. */
export function idOf({ number, userId }: Person): string | undefined {
  return userId ?? number;
}

/** Returns all IDs of a person: settings may name any of them. */
export function namesOf({ number, userId }: Person): string[] {
  return [...(userId === undefined ? [] : [userId]), ...(number === undefined ? [] : listForms(number))];
}

/** Returns the forms of a number, as it is first. */
function listForms(number: string): string[] {
  for (const [long, short, digit] of TWO_FORMS) {
    const [, start, rest] = long.exec(number) ?? [];
    if (start !== undefined && rest !== undefined) return [number, start + rest];
    const [, head, tail] = short.exec(number) ?? [];
    if (head !== undefined && tail !== undefined) return [number, head + digit + tail];
  }
  return [number];
}
