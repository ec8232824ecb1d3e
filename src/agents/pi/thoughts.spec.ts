import { describe, expect, it } from 'vitest';
import { ThoughtFilter, withoutThoughts } from './thoughts.js';

/** Returns the text that a reader has at the end if it arrives in portions of `size`. */
function read(text: string, size: number): string {
  const filter = new ThoughtFilter();
  let shown = '';
  for (let at = 0; at < text.length; at += size) {
    const { text: visible, takesBack } = filter.push(text.slice(at, at + size));
    shown = takesBack ? visible : shown + visible;
  }
  return shown + filter.end();
}

describe.each([1, 2, 7, 1_000])('the thoughts in a text that comes in portions of %i', (size) => {
  it.each([
    ['<think>hm</think>Hello.', 'Hello.'],
    ['\n<think>\nhm\n</think>\n\nHello.\n', 'Hello.\n'],
    ['<THINKING>a</THINKING>\n<think>b</think>Hello.', 'Hello.'],
    ['<think></think>\n\nHello.', 'Hello.'],
    ['Let me see.\nIt is so.\n</think>\n\nHello.', 'Hello.'],
    ['<think>never closed', ''],
  ])('are left out: %j', (text, visible) => {
    expect(read(text, size)).toBe(visible);
  });

  it.each([
    'Hello.',
    '<thin line',
    '<',
    '  indented',
    'Models write `<think>` and `</think>`.',
    '<b>bold</b> and <think>',
    '```html\na\n</think>\nb\n```\n',
    'a\n</think',
    'a\n</think>',
  ])('are not what merely looks like them: %j', (text) => {
    expect(read(text, size)).toBe(text);
    expect(withoutThoughts(text)).toBe(text);
  });
});
