import { expect, it } from 'vitest';
import { splitAtFences } from './fences.js';

const split = (text: string) => splitAtFences(text).map(({ isCode, text: part }) => [isCode ? 'code' : 'text', part]);

it('code between fences stands apart from the text around it', () => {
  expect(split('Look:\n```ts\nconst a = `x`;\n```\nThat **is** all.')).toEqual([
    ['text', 'Look:'],
    ['code', 'const a = `x`;'],
    ['text', 'That **is** all.'],
  ]);
});

it('a longer fence holds a shorter one, and one that is not closed reaches to the end', () => {
  expect(split('````\n```\nin\n```\n````')).toEqual([['code', '```\nin\n```']]);
  expect(split('~~~\nan answer that gr')).toEqual([['code', 'an answer that gr']]);
  expect(split('\n')).toEqual([]);
});
