import { expect, it } from 'vitest';
import { printable, toJson } from './terminal.js';

/** A colour, a title of a window by C1, an override of the direction. */
const HOSTILE = 'a\u001b[31m\u009d0;owned\u009c\u202eb\nc';

it('[X-14] text of others steers no terminal, and stays exact in a pipe', () => {
  expect(printable(HOSTILE, { isTTY: true })).toBe('a\uFFFD[31m\uFFFD0;owned\uFFFD\uFFFDb\nc');
  expect(printable(HOSTILE, {})).toBe(HOSTILE);
});

it('[X-14] JSON of others steers no terminal, and has the same value', () => {
  const text = toJson({ text: HOSTILE }, 2);
  expect(text).toBe('{\n  "text": "a\\u001b[31m\\u009d0;owned\\u009c\\u202eb\\nc"\n}');
  expect(JSON.parse(text)).toEqual({ text: HOSTILE });
});
