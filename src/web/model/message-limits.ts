import { countCodePoints } from '../../protocol/code-points.js';
import { MAX_CONTENT_LENGTH } from '../../protocol/constants.js';

/** Upper estimate of the envelope and payload around the text of a message, in bytes. */
const FRAME_OVERHEAD_BYTES = 1_024;

/** Upper estimate of one attachment in the payload, in bytes. */
const PICTURE_BYTES = 768;

/** Why a text cannot be sent; `over` is the number of excess characters or bytes. */
export type TextFault = { readonly kind: 'empty' } | { readonly kind: 'characters' | 'bytes'; readonly over: number };

/**
 * Checks a text that is sent with `pictures` pictures. Checked here because a frame that is too big closes the
 * connection.
 */
export function findTextFault(text: string, maxFrameBytes: number, pictures = 0): TextFault | undefined {
  if (text.trim() === '' && pictures === 0) return { kind: 'empty' };
  const characters = countCodePoints(text);
  if (characters > MAX_CONTENT_LENGTH) return { kind: 'characters', over: characters - MAX_CONTENT_LENGTH };
  const bytes = new TextEncoder().encode(JSON.stringify(text)).length + FRAME_OVERHEAD_BYTES + pictures * PICTURE_BYTES;
  return bytes > maxFrameBytes ? { kind: 'bytes', over: bytes - maxFrameBytes } : undefined;
}

/** Returns the text without NUL and lone surrogates, which the gateway refuses and a reader cannot see. */
export function cleanText(text: string): string {
  return replaceLoneSurrogates(text.replaceAll('\u0000', ''));
}

/** Returns well-formed Unicode, as `toWellFormed` does, which Safari before 16.4 lacks. */
export function replaceLoneSurrogates(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}
