const NUL = '\u0000';
const REPLACEMENT = '\uFFFD';

/**
 * Returns text that every reader can take. Models and tools produce lone surrogates, which strict JSON parsers refuse, and
 * NUL, which PostgreSQL cannot store: both become U+FFFD.
 */
export function toSafeText(text: string): string {
  return text.isWellFormed() && !text.includes(NUL) ? text : text.toWellFormed().replaceAll(NUL, REPLACEMENT);
}

/** Returns a value as JSON whose texts are all safe. */
export function toSafeJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? toSafeText(part) : part));
}
