import { expect, it } from 'vitest';
import { cleanFileName } from './file-name.js';
import { texts } from './texts.js';

it.each([
  ['report.pdf', 'report.pdf'],
  ['../../e\u202Egnp.exe', 'egnp.exe'],
  ['C:\\Users\\ann\\notes.txt', 'notes.txt'],
  ['a\u0000b\u2066.txt', 'ab.txt'],
  ['كتاب.pdf', 'كتاب.pdf'],
  ['folder/', texts.files.untitled],
  ['', texts.files.untitled],
])('%j is shown as a name that disguises nothing', (name, shown) => {
  expect(cleanFileName(name)).toBe(shown);
});
