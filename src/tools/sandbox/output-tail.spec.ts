import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutputTail } from './output-tail.js';

describe('the end of an output', () => {
  it('is the whole output while it is short', () => {
    const tail = new OutputTail(8);
    for (const part of ['ab', '', 'cd']) tail.write(Buffer.from(part));
    expect(tail.describe()).toBe('abcd');
  });

  it('is the last part of the output, for any chunks', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 20 })),
        fc.integer({ min: 1, max: 30 }),
        (parts, maxBytes) => {
          const tail = new OutputTail(maxBytes);
          for (const part of parts) tail.write(Buffer.from(part));
          expect(tail.read().toString()).toBe(parts.join('').slice(-maxBytes));
          expect(tail.totalBytes).toBe(parts.join('').length);
        },
      ),
    );
  });

  it('says how much was cut', () => {
    const tail = new OutputTail(4);
    tail.write(Buffer.from('0123456789'));
    expect(tail.describe()).toBe('[the first 6 bytes of 10 were cut]\n6789');
  });
});
