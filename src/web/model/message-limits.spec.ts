import { describe, expect, it } from 'vitest';
import { cleanText, findTextFault } from './message-limits.js';

const FRAME = 262_144;

describe('a text', () => {
  it('may have 65,536 characters and no more', () => {
    expect(findTextFault('x'.repeat(65_536), FRAME)).toBeUndefined();
    expect(findTextFault('x'.repeat(65_538), FRAME)).toEqual({ kind: 'characters', over: 2 });
  });

  it('must fit into a frame in its encoded form', () => {
    expect(findTextFault('🙂'.repeat(65_536), FRAME)).toEqual({ kind: 'bytes', over: 1_026 });
    expect(findTextFault('\n'.repeat(600) + 'x', 2_048)).toMatchObject({ kind: 'bytes' });
  });

  it('must not be empty', () => {
    for (const text of ['', ' ', '\n\t']) expect(findTextFault(text, FRAME)).toEqual({ kind: 'empty' });
  });

  it('may be empty with a picture, which takes space in the frame', () => {
    expect(findTextFault('', FRAME, 1)).toBeUndefined();
    expect(findTextFault('x', 1_500, 1)).toEqual({ kind: 'bytes', over: 295 });
  });

  it('is sent without the invisible characters that the gateway refuses', () => {
    expect(cleanText('a\u0000b\ud800')).toBe('ab\ufffd');
  });
});
