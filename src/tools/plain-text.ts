/**
 * Characters that are replaced, besides lone surrogates: control characters, which steer terminals; embeddings,
 * overrides and isolates of the bidirectional algorithm, which make people read another order than programs; tag
 * characters outside flags, which models read and people do not see.
 */
const UNSAFE =
  /[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]|(?<!\u{1F3F4}[\u{E0030}-\u{E007A}]{0,6})[\u{E0000}-\u{E007F}]/gu;

/** Returns text from any source as text that is safe to show and to store. Replaces unsafe characters with U+FFFD. */
export function toPlainText(text: string): string {
  return text.toWellFormed().replaceAll(UNSAFE, (found) => (found === '\r' ? '' : '\uFFFD'));
}
