import * as ws from 'ws';
import { describe, expect, it } from 'vitest';
import type { DurableFrame } from '../core/store/index.js';
import { frameBurst, framedSize, writeFrame } from './frame-bytes.js';

interface WsInternals {
  readonly Sender: { frame(data: Buffer, options: object): Buffer[] };
}

/** As ws frames it. */
const reference = (text: string) => {
  const parts = (ws as unknown as WsInternals).Sender.frame(Buffer.from(text), { fin: true, opcode: 1, mask: false });
  return Buffer.concat(parts);
};

describe('framing', () => {
  it.each([
    ...[0, 1, 125, 126, 127, 65_535, 65_536, 70_000].map((length) => 'a'.repeat(length)),
    ...['é'.repeat(62), 'é'.repeat(63), '🦞'.repeat(16_383), '🦞'.repeat(16_384), '\u00ff', 'naïve\u0000'],
  ])('of text %# is what ws makes of it', (text) => {
    const size = Buffer.byteLength(text);
    const bytes = Buffer.alloc(framedSize(size) + 2, 0xee);
    expect(writeFrame(bytes, 1, text, size)).toBe(bytes.length - 1);
    expect(bytes.subarray(1, -1).equals(reference(text))).toBe(true);
    expect([bytes[0], bytes.at(-1)]).toEqual([0xee, 0xee]);
  });

  it('of a burst is made once, whoever reads it', () => {
    const frame: DurableFrame = {
      type: 'stream_block',
      messageRef: 'm',
      messageId: 'i',
      timestamp: 1,
      payload: '{"content":"é"}',
      sessionId: 's',
      seq: 1,
    };
    const burst = { frames: [frame, { ...frame, seq: 2 }] };
    expect(frameBurst(burst)).toBe(frameBurst(burst));
    const [first, second] = [1, 2].map((seq) =>
      reference(
        `{"type":"stream_block","id":"f_s_${seq}","timestamp":1,"session_id":"s","seq":${seq},"correlation_id":"i","payload":{"content":"é"}}`,
      ),
    );
    expect(frameBurst(burst).equals(Buffer.concat([first!, second!]))).toBe(true);
  });
});
