import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FrameHeight } from './frame-height.js';

describe('the height of a frame', () => {
  let now: number;
  let frame: { readonly style: { height: string } };
  let height: FrameHeight;
  beforeEach(() => {
    vi.stubGlobal('innerHeight', 1_000);
    now = 0;
    frame = { style: { height: '' } };
    height = new FrameHeight(
      () => frame as HTMLElement,
      () => now,
    );
    return () => vi.unstubAllGlobals();
  });

  it('[Y-08] is a whole number of pixels within the window; whatever else a page says is dropped', () => {
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, -5, 0, 1.5, '9999px', null, undefined, {}])
      height.set(wrong);
    expect(frame.style.height).toBe('');
    height.set(300);
    expect(frame.style.height).toBe('300px');
    height.set(9_999);
    expect(frame.style.height).toBe('800px');
  });

  it('[Y-08] changes at most ten times a second', () => {
    for (let i = 1; i <= 15; i++) height.set(500 - i);
    expect(frame.style.height).toBe('490px');
    now = 1_000;
    height.set(100);
    expect(frame.style.height).toBe('100px');
  });

  it('[Y-08] stops after twenty changes in a row that make the frame higher', () => {
    for (let i = 1; i <= 50; i++) {
      now += 200;
      height.set(100 + i);
    }
    expect(frame.style.height).toBe('120px');
    height.reset();
    height.set(400);
    expect(frame.style.height).toBe('400px');
  });
});
