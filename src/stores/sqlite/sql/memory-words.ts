/** Letters of scripts that put no spaces between words, and of Hangul, whose particles stand at the end of a word. */
const UNSPACED =
  /(?=\p{L})[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Bopo}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]/u;
const EACH_UNSPACED = new RegExp(UNSPACED, 'gu');
const PARTS = new RegExp(`(?:${UNSPACED.source})+|(?:(?!${UNSPACED.source})[^\\0])+`, 'gu');
const HAN = /\p{Script=Han}/u;
/** Terms of one search. */
const MAX_TERMS = 64;

/**
 * Returns a text as the index takes it. The index knows words by the spaces around them, so each letter of a script
 * without spaces becomes a word of its own.
 */
export function toIndexText(text: string): string {
  return text.normalize('NFKC').replaceAll(EACH_UNSPACED, ' $& ');
}

/**
 * Returns the FTS5 expression that finds any of `words`: by its beginning, and in a script without spaces by any two
 * letters in a row or any single Han character.
 */
export function toMatch(words: readonly string[]): string {
  const terms = words.flatMap((word) => (word.normalize('NFKC').match(PARTS) ?? []).flatMap(toTerms));
  return Array.from(new Set(terms)).slice(0, MAX_TERMS).join(' OR ') || '""';
}

function toTerms(part: string): string[] {
  if (!UNSPACED.test(part)) return [`${quote(part)}*`];
  const letters = Array.from(part);
  if (letters.length === 1) return [quote(part)];
  const pairs = letters.slice(1).map((letter, i) => quote(`${letters[i]} ${letter}`));
  return [...pairs, ...letters.filter((letter) => HAN.test(letter)).map(quote)];
}

/** Inside quotes only a quote has a meaning to FTS5, and it is doubled. */
function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
