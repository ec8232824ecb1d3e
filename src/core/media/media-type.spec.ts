import { describe, expect, it } from 'vitest';
import { detectMediaType } from './media-type.js';

/** The beginning of an MP4 file with tracks of these kinds. */
const mp4 = (...kinds: readonly string[]) =>
  Buffer.from(
    `\0\0\0\x14ftypisom\0\0\0\0isom${kinds.map((kind) => `\0\0\0\x20hdlr${'\0'.repeat(8)}${kind}`).join('')}`,
    'latin1',
  );

describe('an MP4 file', () => {
  it('is sound when it has no track of pictures', async () => {
    expect(await detectMediaType(mp4('soun'))).toBe('audio/mp4');
    expect(await detectMediaType(mp4('vide', 'soun'))).toBe('video/mp4');
    expect(await detectMediaType(mp4())).toBe('video/mp4');
    const ofApple = Buffer.from('\0\0\0\x1cftypM4A \0\0\0\0M4A mp42isom\0\0\0\0', 'latin1');
    expect(await detectMediaType(ofApple)).toBe('audio/mp4');
  });
});
