/**
 * What is replaced besides lone surrogates: control characters, which steer terminals; embeddings, overrides and
 * isolates of the bidirectional algorithm, which make people read another order than programs; tag characters, which
 * models read and people do not see, unless they spell a flag.
 */
const UNSAFE =
  /[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]|(?<!\u{1F3F4}[\u{E0030}-\u{E007A}]{0,6})[\u{E0000}-\u{E007F}]/gu;

/** Returns text of any origin as text that is safe to show and to store; what is not is replaced with U+FFFD. */
export function toPlainText(text: string): string {
  return text.toWellFormed().replaceAll(UNSAFE, (found) => (found === '\r' ? '' : '\uFFFD'));
}
