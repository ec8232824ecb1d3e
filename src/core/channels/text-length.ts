import type { Capabilities, PartText } from './driver.js';

/** Returns the texts of a part as plain text, for platforms without markup and as the fallback of others. */
export function toPlainText(texts: readonly PartText[]): string {
  return texts.map(({ text }) => text).join('\n\n');
}

/** Returns the length of a text as a platform counts it. */
export function lengthOf(text: string, unit: Capabilities['lengthUnit']): number {
  switch (unit) {
    case 'UTF-16 units':
      return text.length;
    case 'code points':
      return countCodePoints(text);
    case 'bytes':
      return Buffer.byteLength(text);
  }
}

function countCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
