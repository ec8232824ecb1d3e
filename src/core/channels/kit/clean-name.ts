import { shorten } from './text-length.js';

/** Maximum length of a name, in UTF-16 units. */
const MAX_NAME_LENGTH = 200;

/** Returns a name of a person or a file without what could disguise it: control characters, changes of direction. */
export function cleanName(name: string): string {
  const clean = name
    .toWellFormed()
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replaceAll(/[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g, '')
    .trim();
  return shorten(clean, MAX_NAME_LENGTH);
}
