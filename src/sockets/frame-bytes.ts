/**
 * WebSocket framing of text (RFC 6455 section 5.2), unmasked, as servers send it.
 */

/** FIN and opcode 1. */
const FINAL_TEXT = 0x81;

/** The text of a frame, the texts of a few, or the bytes of many. */
export type EncodedFrames = string | readonly string[] | Buffer;

/** Returns the size of a frame on the wire whose payload has `size` bytes. */
export function framedSize(size: number): number {
  return size + (size < 126 ? 2 : size < 65_536 ? 4 : 10);
}

/**
 * Writes one frame into `target`, which must have room for it.
 * @param size length of `text` in UTF-8, in bytes
 * @returns the offset after the frame
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
  // As many bytes as characters means ASCII, which latin1 writes as a plain copy.
  return at + target.write(text, at, size, size === text.length ? 'latin1' : 'utf8');
}

/**
 * Wraps an encoder so that it caches its last result: an event for many readers is sent to one after the other. (A WeakMap
 * of all events costs more per delta than encoding it.)
 */
export function encodeOnce<E extends object, T>(encode: (event: E) => T): (event: E) => T {
  let last: E | undefined;
  let encoded: T;
  return (event) => {
    if (event !== last) {
      encoded = encode(event);
      last = event;
    }
    return encoded;
  };
}

/** Frames texts and joins them to bytes that can be written to any number of sockets. */
export function joinFrames(texts: readonly string[]): Buffer {
  const sizes = texts.map((text) => Buffer.byteLength(text));
  const bytes = Buffer.allocUnsafeSlow(sizes.reduce((sum, size) => sum + framedSize(size), 0));
  let at = 0;
  for (const [i, text] of texts.entries()) at = writeFrame(bytes, at, text, sizes[i] ?? 0);
  return bytes;
}
