import { describe, expect, it } from 'vitest';
import { toVisibleText } from './visible-text.js';

describe('[X-14] text that a person decides on', () => {
  it.each([
    ['an override of the direction', 'pay \u202e001 RUE ot 1', 'pay ⟨U+202E⟩001 RUE ot 1'],
    ['embeddings and their end', '\u202aa\u202bb\u202cc\u202d', '⟨U+202A⟩a⟨U+202B⟩b⟨U+202C⟩c⟨U+202D⟩'],
    ['isolates', '\u2066a\u2067b\u2068c\u2069', '⟨U+2066⟩a⟨U+2067⟩b⟨U+2068⟩c⟨U+2069⟩'],
    ['marks of direction', '1\u200e2\u200f3\u061c', '1⟨U+200E⟩2⟨U+200F⟩3⟨U+061C⟩'],
    ['spaces without width', 'a\u200bb\u2060c\ufeffd\u00ad', 'a⟨U+200B⟩b⟨U+2060⟩c⟨U+FEFF⟩d⟨U+00AD⟩'],
    ['fillers', 'a\u3164b\u115f', 'a⟨U+3164⟩b⟨U+115F⟩'],
    ['joiners between Latin letters', 'ad\u200dmin\u200c', 'ad⟨U+200D⟩min⟨U+200C⟩'],
    ['tags that only a model reads', 'a\u{e0068}\u{e0069}', 'a⟨U+E0068⟩⟨U+E0069⟩'],
    ['selectors that only a model reads', 'a\ufe01\u{e0120}', 'a⟨U+FE01⟩⟨U+E0120⟩'],
    ['steering of terminals', '\u001b[2J\u009b\u0000\r', '⟨U+001B⟩[2J⟨U+009B⟩⟨U+0000⟩⟨U+000D⟩'],
    ['separators and half characters', 'a\u2028b\ud800', 'a⟨U+2028⟩b⟨U+D800⟩'],
  ])('shows %s', (_, text, shown) => {
    expect(toVisibleText(text)).toBe(shown);
  });

  it.each([
    ['lines and tabs', 'a\r\nb\n\tc'],
    ['Hebrew', 'שלום עולם, 12'],
    ['Arabic', 'مرحبا بالعالم'],
    ['Persian with its joiners', 'می\u200cخواهم'],
    ['Hindi with its joiners', 'क्\u200dष'],
    ['emoji of several parts', '👩‍👩‍👧 👍🏽 ❤️ 1️⃣ 🏳️‍🌈'],
    ['flags of tags', '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}'],
    ['a variant of an ideograph', '葛\u{e0100}'],
  ])('keeps %s', (_, text) => {
    expect(toVisibleText(text)).toBe(text);
  });
});
