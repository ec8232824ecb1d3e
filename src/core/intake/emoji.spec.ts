import { expect, it } from 'vitest';
import { isEmoji } from './emoji.js';

it('[N-10] an emoji is one emoji, or the name of one', () => {
  const emojis = ['👍', '👍🏽', '❤️', '❤', '🦞', '👩‍👩‍👧‍👦', '🇩🇪', '1️⃣', '☑', ':party_parrot:', ':+1:'];
  expect(emojis.filter((text) => !isEmoji(text))).toEqual([]);
  const others = ['', 'a', '1', '👍👍', 'hello', ':', '::', ': :', '👍 ', '+', '<script>', 'é'];
  expect(others.filter((text) => isEmoji(text))).toEqual([]);
});
