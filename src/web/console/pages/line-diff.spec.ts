import { describe, expect, it } from 'vitest';
import { diffLines, writeValue } from './line-diff.js';

const compare = (before: string, after: string) =>
  diffLines(before, after).map(({ kind, text }) => ({ same: ' ', old: '-', new: '+' })[kind] + text);

describe('diffLines', () => {
  it('shows what is gone before what is new, between the lines that stay', () => {
    expect(compare('a\nb\nc', 'a\nB\nc\nd')).toEqual([' a', '-b', '+B', ' c', '+d']);
  });

  it('finds no difference between equal texts', () => {
    expect(compare('a\nb', 'a\nb')).toEqual([' a', ' b']);
  });

  it('finds a line that was put before all others', () => {
    expect(compare('a\nb', 'x\na\nb')).toEqual(['+x', ' a', ' b']);
  });

  it('does not compare line by line what would take gigabytes', () => {
    const long = 'x\n'.repeat(2_000);
    expect(diffLines(long, long)).toHaveLength(4_002);
  });
});

describe('writeValue', () => {
  it.each([
    ['text', 'text'],
    [null, 'null'],
    [{ a: [1] }, '{\n  "a": [\n    1\n  ]\n}'],
    [undefined, ''],
  ])('writes %j for people', (value, text) => {
    expect(writeValue(value)).toBe(text);
  });
});
