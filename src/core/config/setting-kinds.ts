import Type, { type TSchemaOptions, type TStringOptions } from 'typebox';
import { HIDDEN } from './secrets.js';

/** The highest value of a setting that is a {@link count}. */
const MAX_COUNT = 10_000_000;

/** Returns the schema of a limit that is a count. */
export function count(value: number, description: string) {
  return Type.Integer({ minimum: 1, maximum: MAX_COUNT, default: value, description });
}

/** Returns the schema of a field within a setting whose feature does not exist yet; setting it is refused. */
export const laterBelow = () => Type.Optional(Type.Never({ 'x-later': true }));

/** Returns the schema of a secret text in a map. Refuses {@link HIDDEN}, which is how a secret reads back. @param rest a pattern of the whole text */
export const secret = ({ minLength = 0, rest = '' } = {}) =>
  Type.String({
    minLength,
    maxLength: 16_384,
    pattern: `^(?!${RegExp.escape(HIDDEN)}$)${rest}`,
    'x-secret': true,
  });

/** The value of an HTTP header, as the end of a pattern. */
const HEADER_TEXT = '[\\t\\x20-\\x7e\\x80-\\xff]*$';

/** Matches the values that an HTTP header can have. */
export const HEADER_VALUE = new RegExp(`^${HEADER_TEXT}`);

/** Returns the schema of a secret that HTTP sends as the value of a header: not empty, without control characters. */
export const headerValue = () => secret({ minLength: 1, rest: HEADER_TEXT });

/**
 * Returns the schema of an address of one of some schemes, without a credential, which would not be hidden.
 * @param schemes a pattern, for example `https?`
 */
export const address = (schemes: string, options: TStringOptions = {}) =>
  Type.Refine(
    Type.String({ pattern: `^(${schemes})://[^\\s/?#@]+([/?#]\\S*)?$`, maxLength: 2_048, ...options }),
    (text) => URL.canParse(text),
    () => 'must be a URL',
  );

/** Returns the schema of HTTP headers with secret values: names are tokens of RFC 9110, values have no control characters. */
export const headers = (options: TSchemaOptions = {}) =>
  Type.Record(Type.String({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$" }), headerValue(), {
    additionalProperties: false,
    'x-keys': 'names of HTTP headers, for example x-team',
    ...options,
  });
