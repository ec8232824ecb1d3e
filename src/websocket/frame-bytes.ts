/**
 * WebSocket framing of text (RFC 6455 section 5.2), unmasked, as servers send it.
 */
import { encodeDurableFrame } from '../protocol/encode.js';
import type { FrameBurst } from '../core/delivery/frame-reader.js';

/** FIN and opcode 1. */
const FINAL_TEXT = 0x81;

/** Bytes of a frame on the wire whose payload has `size` bytes. */
export function framedSize(size: number): number {
  return size + (size < 126 ? 2 : size < 65_536 ? 4 : 10);
}

/**
 * Writes one frame into `target`, which has room for it.
 * @param size the bytes of `text` in UTF-8
 * @returns the offset behind it
 */
export function writeFrame(target: Buffer, offset: number, text: string, size: number): number {
  target[offset] = FINAL_TEXT;
  let at = offset + 2;
  if (size < 126) {
    target[offset + 1] = size;
  } else if (size < 65_536) {
    target[offset + 1] = 126;
    at = target.writeUInt16BE(size, at);
  } else {
    target[offset + 1] = 127;
    at = target.writeUInt32BE(0, at);
    at = target.writeUInt32BE(size, at);
  }
  // As many bytes as characters: all of it is ASCII, and a copy does.
  return at + target.write(text, at, size, size === text.length ? 'latin1' : 'utf8');
}

const framedBursts = new WeakMap<FrameBurst, Buffer>();

/** The bytes of a burst: made once, and shared by everybody who reads its session. */
export function frameBurst(burst: FrameBurst): Buffer {
  let bytes = framedBursts.get(burst);
  if (!bytes) framedBursts.set(burst, (bytes = joinFrames(burst.frames.map(encodeDurableFrame))));
  return bytes;
}

function joinFrames(texts: readonly string[]): Buffer {
  const sizes = texts.map((text) => Buffer.byteLength(text));
  const bytes = Buffer.allocUnsafeSlow(sizes.reduce((sum, size) => sum + framedSize(size), 0));
  let at = 0;
  for (const [i, text] of texts.entries()) at = writeFrame(bytes, at, text, sizes[i] ?? 0);
  return bytes;
}
