import { describe, expect, it } from 'vitest';
import { cleanText, findTextFault } from './message-limits.js';

const FRAME = 262_144;

describe('a text', () => {
  it('may have 65,536 characters and not one more', () => {
    expect(findTextFault('x'.repeat(65_536), FRAME)).toBeUndefined();
    expect(findTextFault('x'.repeat(65_538), FRAME)).toEqual({ kind: 'characters', over: 2 });
  });

  it('must fit into a frame as it travels', () => {
    expect(findTextFault('🙂'.repeat(65_536), FRAME)).toEqual({ kind: 'bytes', over: 1_026 });
    expect(findTextFault('\n'.repeat(600) + 'x', 2_048)).toMatchObject({ kind: 'bytes' });
  });

  it('must say something', () => {
    for (const text of ['', ' ', '\n\t']) expect(findTextFault(text, FRAME)).toEqual({ kind: 'empty' });
  });

  it('may say nothing beside a picture, which takes room in the frame', () => {
    expect(findTextFault('', FRAME, 1)).toBeUndefined();
    expect(findTextFault('x', 1_500, 1)).toEqual({ kind: 'bytes', over: 295 });
  });

  it('is sent without what the gateway refuses and nobody can see', () => {
    expect(cleanText('a\u0000b\ud800')).toBe('ab\ufffd');
  });
});
