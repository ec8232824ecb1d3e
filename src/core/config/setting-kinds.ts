import Type, { type TSchema } from 'typebox';
import { HIDDEN } from './secrets.js';

/** The highest value of a setting that is a {@link count}. */
const MAX_COUNT = 10_000_000;

/** The schema of a limit that is a number of things. */
export function count(value: number, description: string) {
  return Type.Integer({ minimum: 1, maximum: MAX_COUNT, default: value, description });
}

/** A setting of the specification whose feature is not here yet: refused by name when it is set. */
export function later(description: string): TSchema {
  return Type.Unknown({ description, 'x-later': true });
}

/** The schema of a secret text within a map. {@link HIDDEN} is refused: it is how a secret reads back. */
export const secret = ({ minLength = 0 } = {}) =>
  Type.String({ minLength, maxLength: 16_384, pattern: `^(?!${RegExp.escape(HIDDEN)}$)`, 'x-secret': true });
