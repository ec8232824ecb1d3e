import Type from 'typebox';
import { HIDDEN } from './secrets.js';

/** The highest value of a setting that is a {@link count}. */
const MAX_COUNT = 10_000_000;

/** Returns the schema of a limit that is a count. */
export function count(value: number, description: string) {
  return Type.Integer({ minimum: 1, maximum: MAX_COUNT, default: value, description });
}

/** Returns the schema of a field within a setting whose feature does not exist yet; setting it is refused. */
export const laterBelow = () => Type.Optional(Type.Never({ 'x-later': true }));

/** Returns the schema of a secret text in a map. Refuses {@link HIDDEN}, which is how a secret reads back. */
export const secret = ({ minLength = 0 } = {}) =>
  Type.String({ minLength, maxLength: 16_384, pattern: `^(?!${RegExp.escape(HIDDEN)}$)`, 'x-secret': true });
