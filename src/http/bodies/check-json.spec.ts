import { expect, it } from 'vitest';
import { checkJson } from './check-json.js';

it.each([
  ['NUL', '{"a":["\\u0000"]}', '/a/0 must have no NUL'],
  ['NUL in a key', '{"a\\u0000":1}', 'must have no NUL'],
  ['a lone surrogate', '"\\uD800"', '/ must have no NUL and no lone surrogates'],
  ['33 levels', '['.repeat(33), 'it nests deeper than 32'],
  ['half of JSON with a suspicious escape', '{"\\u0000', 'it is not JSON'],
])('refuses a body with %s', (_, source, reason) => {
  expect(() => checkJson(source)).toThrow(reason);
});

it.each([
  ['a pair of surrogates', '"\\ud83e\\udd9e"'],
  ['an escaped backslash before u0000', '"\\\\u0000"'],
  ['what the parser will refuse', '{'],
])('passes %s', (_, source) => {
  expect(() => checkJson(source)).not.toThrow();
});
