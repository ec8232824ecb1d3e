import { describe, expect, it } from 'vitest';
import { Offences } from './offences.js';

describe('Offences', () => {
  const repeat = <T>(times: number, act: () => T) => Array.from({ length: times }, act);

  it('the tenth invalid frame in a row is one too many, and a valid one between starts anew', () => {
    const offences = new Offences();
    expect(repeat(9, () => offences.noteInvalidFrame())).toEqual(repeat(9, () => undefined));
    offences.noteValidFrame();
    expect(repeat(9, () => offences.noteInvalidFrame())).toEqual(repeat(9, () => undefined));
    expect(offences.noteInvalidFrame()).toBe('invalidFrames');
  });

  it('a hundred refusals for rate within any 10 s are too many, wherever they begin', () => {
    const offences = new Offences();
    expect(repeat(99, () => offences.noteRateLimited(0)).every((close) => close === undefined)).toBe(true);
    expect(offences.noteRateLimited(10_001)).toBeUndefined();
    expect(repeat(98, () => offences.noteRateLimited(20_000)).every((close) => close === undefined)).toBe(true);
    expect(offences.noteRateLimited(20_001)).toBe('rateLimit');
  });

  it('steady refusals below that pace go on for ever', () => {
    const offences = new Offences();
    for (let i = 0; i < 1_000; i++) expect(offences.noteRateLimited(i * 102)).toBeUndefined();
  });

  it('twenty pings a second are fine for ever, one more is not', () => {
    const offences = new Offences();
    for (let second = 0; second < 100; second++)
      repeat(20, () => expect(offences.notePing(second * 1_000)).toBeUndefined());
    expect(offences.notePing(99_999)).toBe('rateLimit');
  });
});
