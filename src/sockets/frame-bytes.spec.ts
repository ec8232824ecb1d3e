import * as ws from 'ws';
import { describe, expect, it } from 'vitest';
import { encodeOnce, framedSize, joinFrames, writeFrame } from './frame-bytes.js';

interface WsInternals {
  readonly Sender: { frame(data: Buffer, options: object): Buffer[] };
}

/** Frames a text with ws. */
const reference = (text: string) => {
  const parts = (ws as unknown as WsInternals).Sender.frame(Buffer.from(text), { fin: true, opcode: 1, mask: false });
  return Buffer.concat(parts);
};

describe('framing', () => {
  it.each([
    ...[0, 1, 125, 126, 127, 65_535, 65_536, 70_000].map((length) => 'a'.repeat(length)),
    ...['é'.repeat(62), 'é'.repeat(63), '🦞'.repeat(16_383), '🦞'.repeat(16_384), '\u00ff', 'naïve\u0000'],
  ])('of text %# equals the output of ws', (text) => {
    const size = Buffer.byteLength(text);
    const bytes = Buffer.alloc(framedSize(size) + 2, 0xee);
    expect(writeFrame(bytes, 1, text, size)).toBe(bytes.length - 1);
    expect(bytes.subarray(1, -1).equals(reference(text))).toBe(true);
    expect([bytes[0], bytes.at(-1)]).toEqual([0xee, 0xee]);
  });

  it('encodes several texts into the bytes of their frames', () => {
    const [short, long] = ['{"content":"é"}', 'x'.repeat(200)];
    expect(joinFrames([short, long]).equals(Buffer.concat([reference(short), reference(long)]))).toBe(true);
    expect(joinFrames([])).toHaveLength(0);
  });
});

describe('encodeOnce', () => {
  it('encodes an event once for all consecutive connections', () => {
    let encodings = 0;
    const encode = encodeOnce((event: { readonly name: string }) => `${event.name} ${++encodings}`);
    const [a, b] = [{ name: 'a' }, { name: 'b' }];
    expect([encode(a), encode(a), encode(b), encode(b), encode(a)]).toEqual(['a 1', 'a 1', 'b 2', 'b 2', 'a 3']);
  });
});
