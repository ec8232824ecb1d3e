/** Length of a pattern in UTF-16 units. */
const MAX_LENGTH = 256;
/** Repeats without a small bound. Each multiplies the time by the length of the value, of which clients check 256 characters. */
const MAX_REPEATS = 3;
/** A bounded repeat of at most this many counts as none. */
const SMALL_REPEAT = 16;

/**
 * Finds why a regular expression must not run in a client: one that repeats what repeats takes time without end. Groups are
 * not repeated, except as optional ones; nothing looks ahead, behind or back.
 * @returns undefined for a safe expression
 */
export function findPatternFault(pattern: string): string | undefined {
  if (pattern.length > MAX_LENGTH) return `must have at most ${MAX_LENGTH} characters`;
  try {
    void new RegExp(pattern);
  } catch {
    return 'must be a regular expression';
  }
  // Escaped characters and classes match one character each, so they count as one letter.
  const plain = pattern
    .replaceAll(/\\(?:[1-9]|k<)/g, '(?=')
    .replaceAll(/\\./gs, 'a')
    .replaceAll(/\[[^\]]*\]/g, 'a');
  if (/\(\?(?!:)/.test(plain)) return 'must not look ahead, behind or back, nor name groups';
  if (/\)(?:[*+]|\{)/.test(plain)) return 'must not repeat a group';
  const repeats = [...plain.matchAll(/[*+]|\{(\d+)(,?)(\d*)\}/g)].filter(([sign, least, comma, most]) => {
    if (!sign.startsWith('{')) return true;
    return comma === ',' && most === '' ? true : Number(most || least) > SMALL_REPEAT;
  });
  const isAnchored = plain.startsWith('^') && !plain.includes('|');
  if (repeats.length + (isAnchored ? 0 : 1) > MAX_REPEATS)
    return `must have at most ${MAX_REPEATS} repeats (* + {n,}), one less if it does not begin with ^ or has |`;
  return undefined;
}
