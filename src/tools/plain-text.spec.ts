import { expect, it } from 'vitest';
import { toPlainText } from './plain-text.js';

it.each([
  ['a\u001b[31mb\r\n\tc\0\u009b', 'a\uFFFD[31mb\n\tc\uFFFD\uFFFD'],
  ['a\uD83Db', 'a\uFFFDb'],
  ['grüße 🦀', 'grüße 🦀'],
])('plain text of %j steers no terminal', (text, expected) => expect(toPlainText(text)).toBe(expected));
