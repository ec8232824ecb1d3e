import { expect, it } from 'vitest';
import { toPlainText } from './plain-text.js';

it.each([
  ['a\u001b[31mb\r\n\tc\0\u009b', 'a\uFFFD[31mb\n\tc\uFFFD\uFFFD'],
  ['a\uD83Db', 'a\uFFFDb'],
  ['grüße 🦀', 'grüße 🦀'],
  ['a\u202Egpj.exe\u202C \u2066b\u2069', 'a\uFFFDgpj.exe\uFFFD \uFFFDb\uFFFD'],
  ['شركة\u200F (ABC\u200E)', 'شركة\u200F (ABC\u200E)'],
  ['hi\u{E0001}\u{E0069}\u{E0067}', 'hi\uFFFD\uFFFD\uFFFD'],
  [
    '\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}',
    '\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}',
  ],
])('plain text of %j cannot control a terminal or hide text', (text, expected) =>
  expect(toPlainText(text)).toBe(expected),
);
