/**
 * Returns the number of Unicode code points in `value`; a lone surrogate counts as one. Stops once `enough` is
 * exceeded, so that a long text costs no more than its limit.
 */
export function countCodePoints(value: string, enough = Number.POSITIVE_INFINITY): number {
  // More than twice `enough` UTF-16 units are always more than `enough` code points.
  if (value.length > enough * 2) return enough + 1;
  let count = value.length;
  for (let i = 0; i + 1 < value.length; i++) {
    if (isHighSurrogate(value.charCodeAt(i)) && isLowSurrogate(value.charCodeAt(i + 1))) {
      count--;
      i++;
    }
  }
  return count;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
