import { describe, expect, it } from 'vitest';
import { checkFrame, checkPayload, parseFrame } from '../../protocol/codec.js';
import { encodeInbound } from '../frames.js';
import { fitsFrame } from './fits-frame.js';

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
/** Returns whether the gateway takes a frame with this content. */
function isTaken(content: unknown): boolean {
  try {
    const text = encodeInbound('tool_result', 'id', 0, { call_id: 'c_1', ok: true, content });
    checkPayload('tool_result', checkFrame(parseFrame(text), text).payload, text);
    return true;
  } catch {
    return false;
  }
}

describe('a result of a node', () => {
  it.each([
    ['numbers', Array.from({ length: 3_900 }, (_, i) => i), true],
    ['too many numbers', Array.from({ length: 4_001 }, (_, i) => i), false],
    ['1,000 files', Array.from({ length: 1_000 }, () => ({ name: 'a', kind: 'file', size_bytes: 1 })), false],
    ['levels', nested(28), true],
    ['too many levels', nested(33), false],
    ['a key of the language', { ['constructor']: 1 }, false],
    ['NUL', { a: 'x\u0000' }, false],
    ['a lone surrogate', ['\ud800'], false],
    ['NUL in a key', { 'a\u0000': 1 }, false],
    ['nothing', null, true],
  ])('[F-13] with %s fits into a frame as the gateway says', (_name, content, expected) => {
    expect(fitsFrame(JSON.stringify(content))).toBe(expected);
    expect(isTaken(content)).toBe(expected);
  });

  it('[F-13] that is said to fit is always taken', () => {
    for (const length of [3_970, 3_980, 3_990, 4_000]) {
      const content = Array.from({ length }, (_, i) => i);
      if (fitsFrame(JSON.stringify(content))) expect(isTaken(content)).toBe(true);
    }
    for (const depth of [27, 28, 29, 30, 31, 32])
      if (fitsFrame(JSON.stringify(nested(depth)))) expect(isTaken(nested(depth))).toBe(true);
  });
});
