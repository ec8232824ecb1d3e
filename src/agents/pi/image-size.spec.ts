import { describe, expect, it } from 'vitest';
import { readImageSize } from './image-size.js';

const hex = (text: string, length = 40) => Buffer.concat([Buffer.from(text.replaceAll(' ', ''), 'hex')], length);

describe('the size of a picture', () => {
  it.each([
    ['PNG', '89504e470d0a1a0a 0000000d 49484452 00002328 00000014', { width: 9_000, height: 20 }],
    ['GIF', '474946383961 0201 0300', { width: 258, height: 3 }],
    ['JPEG', 'ffd8 ffe00004aabb ff ffc4000311 ffc0001108 0014 2328', { width: 9_000, height: 20 }],
    [
      'WebP (VP8X)',
      '52494646 00000000 57454250 56503858 0a000000 00000000 272300 130000',
      { width: 9_000, height: 20 },
    ],
    [
      'WebP (VP8)',
      '52494646 00000000 57454250 56503820 00000000 000000 9d012a 2823 1400',
      { width: 9_000, height: 20 },
    ],
    ['WebP (VP8L)', '52494646 00000000 57454250 5650384c 00000000 2f 27e30400', { width: 9_000, height: 20 }],
  ])('is read from the head of a %s', (_, head, size) => {
    expect(readImageSize(hex(head))).toEqual(size);
  });

  it('is not known of anything else, nor of a part of a head', () => {
    for (const head of ['', 'ffd8', 'ffd8ffe0ffff', '52494646', '00', 'ffd8 ffe0 0000'])
      expect(readImageSize(hex(head))).toBeUndefined();
    expect(readImageSize(Buffer.from('89504e47', 'hex'))).toBeUndefined();
  });
});
