import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/index.js';
import { Conduct } from './conduct.js';

function setUp() {
  const clock = new ManualClock();
  const closes: string[] = [];
  const conduct = new Conduct(clock, (reason) => closes.push(reason));
  const refuse = (times: number, code: 'INVALID_FRAME' | 'RATE_LIMITED') => {
    for (let i = 0; i < times; i++) conduct.noteRefusal(code);
  };
  return { clock, closes, conduct, refuse };
}

describe('Conduct', () => {
  it('closes at the tenth invalid frame in a row, and a valid one between resets the count', () => {
    const { closes, conduct, refuse } = setUp();
    refuse(9, 'INVALID_FRAME');
    conduct.noteValidFrame();
    refuse(9, 'INVALID_FRAME');
    expect(closes).toEqual([]);
    refuse(1, 'INVALID_FRAME');
    expect(closes).toEqual(['invalidFrames']);
  });

  it('closes at a hundred rate refusals within any 10 s', () => {
    const { clock, closes, refuse } = setUp();
    refuse(99, 'RATE_LIMITED');
    clock.advance(10_001);
    refuse(1, 'RATE_LIMITED');
    clock.advance(9_999);
    refuse(98, 'RATE_LIMITED');
    expect(closes).toEqual([]);
    clock.advance(1);
    refuse(1, 'RATE_LIMITED');
    expect(closes).toEqual(['rateLimit']);
  });

  it('tolerates steady refusals below that rate indefinitely', () => {
    const { clock, closes, refuse } = setUp();
    for (let i = 0; i < 1_000; i++) {
      refuse(1, 'RATE_LIMITED');
      clock.advance(102);
    }
    expect(closes).toEqual([]);
  });

  it('tolerates twenty pings a second indefinitely, but not one more', () => {
    const { clock, closes, conduct } = setUp();
    for (let second = 0; second < 100; second++) {
      clock.advance(1_000);
      for (let i = 0; i < 20; i++) conduct.notePing();
    }
    expect(closes).toEqual([]);
    clock.advance(999);
    conduct.notePing();
    expect(closes).toEqual(['rateLimit']);
  });
});
