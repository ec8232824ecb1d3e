import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseSettings } from './settings-document.js';

const warn = vi.fn();
beforeEach(() => void vi.spyOn(process, 'emitWarning').mockImplementation(warn));
afterEach(() => {
  vi.restoreAllMocks();
  expect(warn).not.toHaveBeenCalled();
  warn.mockReset();
});

/** Returns why a text is refused. */
function refusalOf(text: string): string {
  try {
    parseSettings(text);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

describe('a settings file', () => {
  it.each(['!CANARY', '*CANARY', '*CANARY: 1', '&CANARY', '|CANARY', '>CANARY', '!foo!CANARY', '!CANARY {a: 1}'])(
    'with the secret %s without quotes is refused by line and column, without the secret',
    (secret) => {
      const reason = refusalOf(`auth:\n  token: ${secret}\n`);
      expect(reason).toMatch(/^line 2, column \d+: .*needs quotes$/);
      expect(reason).not.toContain('CANARY');
    },
  );

  it.each([
    '@CANARY',
    '%CANARY',
    '`CANARY',
    '"CANARY',
    '"\\qCANARY"',
    'a: CANARY: b',
    '[CANARY',
    '{a: CANARY',
    "'CANARY",
  ])('with %s is refused without its text', (value) => {
    const reason = refusalOf(`auth:\n  token: ${value}\n`);
    expect(reason).toMatch(/^line \d, column \d+: ./);
    expect(reason).not.toContain('CANARY');
  });

  it.each([
    ['a: 1\na: 2', 'line 2, column 1: a map has the same key twice'],
    ['a:\n\tb: 1', 'line 2, column 1: a tab cannot indent; use spaces'],
    ['a: 1\n---\nb: 2', 'line 2, column 1: a second document begins here; settings are one'],
    ['a: "b', 'line 1, column 6: a quote or a bracket is not closed'],
  ])('%j says what is wrong', (text, reason) => {
    expect(refusalOf(text)).toBe(reason);
  });

  it('with a collection as a key warns of nothing, which would show the key', () => {
    expect(parseSettings('? [CANARY]\n: b\n').toJS()).toEqual({ '[ CANARY ]': 'b' });
  });

  it('may have anchors, merged maps and quoted signs', () => {
    const text = "base: &base { a: 1 }\nother:\n  <<: *base\n  token: '!CANARY'\n";
    expect(parseSettings(text).toJS()).toEqual({ base: { a: 1 }, other: { a: 1, token: '!CANARY' } });
  });
});
