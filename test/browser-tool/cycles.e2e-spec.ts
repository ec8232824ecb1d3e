import { expect, it } from 'vitest';
import { useBrowser } from '../support/tool-browser.js';

const CYCLES = process.env['LONG'] ? 100 : 5;
/** Memory that the process may keep for each cycle after the first ones, in MB. */
const MAX_GROWTH_MB = 1;

const suite = useBrowser();

it(`[U-01] leaves nothing behind after ${CYCLES} cycles of open and close`, async () => {
  const url = suite.site.page('/plain', '<h1>Plain</h1>');
  const cycle = async () => {
    expect(await suite.browser.call('browser.open', { url })).toMatchObject({ ok: true });
    expect(await suite.browser.call('browser.close')).toMatchObject({ ok: true });
  };
  for (let i = 0; i < 3; i++) await cycle();
  const before = process.memoryUsage.rss() / 1e6;
  for (let i = 0; i < CYCLES; i++) await cycle();
  const after = process.memoryUsage.rss() / 1e6;
  expect([suite.browser.listProcesses(), suite.browser.listRuns()]).toEqual([[], []]);
  // The collector runs when it wants: a few cycles say nothing about memory.
  if (!process.env['LONG']) return;
  process.stdout.write(`RSS ${before.toFixed(0)} MB before, ${after.toFixed(0)} MB after\n`);
  expect(after - before).toBeLessThan(CYCLES * MAX_GROWTH_MB);
}, 300_000);
