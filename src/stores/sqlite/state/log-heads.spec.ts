import { beforeEach, describe, expect, it } from 'vitest';
import { LogHeads, MAX_CACHED_SESSIONS } from './log-heads.js';

let reads: number[];
let heads: LogHeads;
beforeEach(() => {
  reads = [];
  heads = new LogHeads((session) => {
    reads.push(session);
    return { seq: session * 10, sweptSeq: session };
  });
});

describe('LogHeads', () => {
  it('reads the bounds of a session once, and keeps what was appended', () => {
    expect([heads.seq(1), heads.sweptSeq(1)]).toEqual([10, 1]);
    heads.advance(1, 12);
    expect([heads.seq(1), heads.sweptSeq(1), reads]).toEqual([12, 1, [1]]);
  });

  it('never mixes sessions that share a place', () => {
    const other = 1 + MAX_CACHED_SESSIONS;
    heads.advance(1, 12);
    expect([heads.seq(other), heads.seq(1), heads.sweptSeq(other)]).toEqual([other * 10, 10, other]);
    heads.forget(1);
    expect([heads.seq(other), reads]).toEqual([other * 10, [1, other, 1, other]]);
  });

  it('reads the bounds again when they were forgotten', () => {
    for (const forget of [() => heads.forget(1), () => heads.forgetAll()]) {
      heads.advance(1, 12);
      forget();
      expect(heads.seq(1)).toBe(10);
    }
  });
});
