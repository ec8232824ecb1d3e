/** Bytes of the key of a {@link Permutation}. */
export const PERMUTATION_KEY_BYTES = 24;

/** Numbers of half the bits. */
const HALF = 2 ** 24;
/** Digits of a half in base 36. */
const DIGITS = 5;
const TEXT = /^[0-9a-z]{10}$/;

/**
 * A keyed permutation of the numbers below 2^48, as a Feistel network of six rounds, in ten digits of base 36: numbers
 * that follow each other get texts that disclose neither their order nor their distance without the key. It is fast,
 * not strong: it hides the order only.
 */
export class Permutation {
  private readonly keys: Int32Array;
  private readonly reversed: Int32Array;

  /** @param key {@link PERMUTATION_KEY_BYTES} random bytes */
  constructor(key: Uint8Array) {
    this.keys = new Int32Array(Uint8Array.from(key).buffer);
    this.reversed = this.keys.toReversed();
  }

  /** Returns the text of a number below 2^48. */
  encode(n: number): string {
    const place = run(n, this.keys);
    return digits(Math.trunc(place / HALF)) + digits(place % HALF);
  }

  /** Returns the number of a text; undefined if no number has it. */
  decode(text: string): number | undefined {
    if (!TEXT.test(text)) return undefined;
    const [high, low] = [Number.parseInt(text.slice(0, DIGITS), 36), Number.parseInt(text.slice(DIGITS), 36)];
    return high < HALF && low < HALF ? run(high * HALF + low, this.reversed) : undefined;
  }
}

function digits(half: number): string {
  return half.toString(36).padStart(DIGITS, '0');
}

/** Runs the rounds, and swaps the halves: so the same with the keys in reverse undoes it. */
function run(n: number, keys: Int32Array): number {
  let left = Math.trunc(n / HALF);
  let right = n % HALF;
  for (const key of keys) {
    const next = left ^ mix(right, key);
    left = right;
    right = next;
  }
  return right * HALF + left;
}

/** Mixes a half with a key, as the finaliser of MurmurHash3 does. */
function mix(half: number, key: number): number {
  let x = half ^ key;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13) ^ key, 0xc2b2ae35);
  return (x ^ (x >>> 16)) & (HALF - 1);
}
