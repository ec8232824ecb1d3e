import { expect, it } from 'vitest';
import { matchesPattern } from './name-pattern.js';

it.each([
  ['memory.save', 'memory.save', true],
  ['memory.save', 'memory.*', true],
  ['memory', 'memory.*', false],
  ['memory.save', '*', true],
  ['memory.save', '*.save', true],
  ['memory.save', 'm*y.*e', true],
  ['memory.save', 'memory', false],
  ['aa', 'a*a', true],
  ['a', 'a*a', false],
  ['abcabc', '*bc*bc', true],
  ['abc', '*bc*bc', false],
  ['a.b', 'a?b', false],
])('the name %s and the pattern %s: %s', (name, pattern, expected) => {
  expect(matchesPattern(name, pattern)).toBe(expected);
});

it('takes linear time for a pattern of many stars', () => {
  expect(matchesPattern('a'.repeat(128), `${'a*'.repeat(64)}b`)).toBe(false);
});
