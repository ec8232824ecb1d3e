import { ENVELOPE_LIMITS } from '../../protocol/constants.js';

/** The objects around the content of a result in its frame, and their values. */
const OUTER_DEPTH = 2;
const OUTER_VALUES = 20;
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Returns whether the gateway takes this JSON as the content of a result, whatever its length is. */
export function fitsFrame(content: string): boolean {
  let values = OUTER_VALUES;
  const fits = (value: unknown, depth: number): boolean => {
    if (++values > ENVELOPE_LIMITS.maxValues) return false;
    if (typeof value === 'string') return isSound(value);
    if (typeof value !== 'object' || value === null) return true;
    if (depth >= ENVELOPE_LIMITS.maxDepth) return false;
    return Object.entries(value).every(
      ([key, child]) => !FORBIDDEN_KEYS.has(key) && isSound(key) && fits(child, depth + 1),
    );
  };
  return fits(JSON.parse(content), OUTER_DEPTH);
}

const isSound = (text: string) => text.isWellFormed() && !text.includes('\u0000');
