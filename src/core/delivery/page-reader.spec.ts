import { expect, it } from 'vitest';
import type { FramePage, FrameStore } from '../store/index.js';
import { SilentLogs } from '../telemetry/logs.js';
import { ManualClock } from '../../testing/manual-clock.js';
import { MAX_PAGES, PageReader } from './page-reader.js';

it('reads the pages of many readers a few at a time', async () => {
  const reads: ((page: FramePage) => void)[] = [];
  const readFrames = () => new Promise<FramePage>((resolve) => reads.push(resolve));
  const pages = new PageReader({ readFrames } as unknown as FrameStore, new ManualClock(), new SilentLogs().for());
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const all = Array.from({ length: 200 }, (_, n) => pages.read(`s_${n}`, 0));
  let most = 0;
  for (let done = 0; done < all.length; done++) {
    await turn();
    most = Math.max(most, reads.length);
    reads.shift()?.({ frames: [], headSeq: 5, firstSeq: 5 });
  }
  await Promise.all(all);
  expect(most).toBe(MAX_PAGES);
});
