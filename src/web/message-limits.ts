import { MAX_CONTENT_LENGTH } from '../client/index.js';

/** The envelope and the payload around the text of a message, in bytes; generously. */
const FRAME_OVERHEAD_BYTES = 1_024;

/** What names a picture, in bytes; generously. */
const PICTURE_BYTES = 768;

/** What keeps a text from being sent. `over`: by how many characters or bytes it is too long. */
export type TextFault = { readonly kind: 'empty' } | { readonly kind: 'characters' | 'bytes'; readonly over: number };

/** Unicode code points, as the gateway counts. */
export function countCharacters(text: string): number {
  let count = text.length;
  for (let i = 0; i + 1 < text.length; i++) {
    if (isHighSurrogate(text.charCodeAt(i)) && isLowSurrogate(text.charCodeAt(i + 1))) {
      count--;
      i++;
    }
  }
  return count;
}

/** What is wrong with a text that goes with so many pictures, if anything is: found here, since a frame that is too big costs the connection. */
export function findTextFault(text: string, maxFrameBytes: number, pictures = 0): TextFault | undefined {
  if (text.trim() === '' && pictures === 0) return { kind: 'empty' };
  const characters = countCharacters(text);
  if (characters > MAX_CONTENT_LENGTH) return { kind: 'characters', over: characters - MAX_CONTENT_LENGTH };
  const bytes = new TextEncoder().encode(JSON.stringify(text)).length + FRAME_OVERHEAD_BYTES + pictures * PICTURE_BYTES;
  return bytes > maxFrameBytes ? { kind: 'bytes', over: bytes - maxFrameBytes } : undefined;
}

/** A text as the gateway takes it: nothing that it refuses and nobody can see. */
export function cleanText(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
