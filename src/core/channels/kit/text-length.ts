import type { Capabilities, PartText } from '../driver.js';

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

/** Returns the beginning of a text with an ellipsis if the text is longer than `maxLength`, in UTF-16 units. */
export function shorten(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1).toWellFormed()}…`;
}

function countCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Returns whether a text is the beginning of another one without their markup; texts that have nothing else must be the same. */
export function isBeginning(shown: string, wanted: string): boolean {
  const [one = '', other = ''] = [shown, wanted].map((text) => text.replaceAll(/[^\p{L}\p{N}]/gu, ''));
  return one === '' ? shown.trim() === wanted.trim() : other.startsWith(one);
}
