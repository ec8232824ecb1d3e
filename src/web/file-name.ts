import { texts } from './texts.js';

/** Characters that are not seen, or that change the direction: `e\u202Egnp.exe` would look like a picture. */
const DISGUISING = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Returns the name of a file as it may be shown and saved: without folders and without characters that disguise it. */
export function cleanFileName(name: string): string {
  const [last = ''] = name.replaceAll(DISGUISING, '').split(/[/\\]/).slice(-1);
  return last.trim() || texts.files.untitled;
}
