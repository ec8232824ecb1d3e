import { afterAll, beforeAll, expect, it } from 'vitest';
import { BrowserGateway, TestSite } from '../support/tool-browser.js';

const CYCLES = process.env['LONG'] ? 100 : 5;
/** Memory that the process may keep for each cycle after the first ones, in MB. */
const MAX_GROWTH_MB = 1;

let site: TestSite;
let browser: BrowserGateway;
beforeAll(async () => {
  site = await TestSite.start();
  browser = await BrowserGateway.start({ 'tools.browser.allow_hosts': [site.host] });
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

it(`[U-01] leaves no process, no folder and no memory behind after ${CYCLES} cycles of open and close`, async () => {
  const url = site.page('/plain', '<h1>Plain</h1>');
  const cycle = async () => {
    expect(await browser.call('browser.open', { url })).toMatchObject({ ok: true });
    expect(await browser.call('browser.close')).toMatchObject({ ok: true });
  };
  for (let i = 0; i < 3; i++) await cycle();
  const before = process.memoryUsage.rss() / 1e6;
  for (let i = 0; i < CYCLES; i++) await cycle();
  const after = process.memoryUsage.rss() / 1e6;
  if (process.env['LONG']) process.stdout.write(`RSS ${before.toFixed(0)} MB before, ${after.toFixed(0)} MB after\n`);
  expect([browser.listProcesses(), browser.listRuns()]).toEqual([[], []]);
  // The collector runs when it wants: a few cycles say little.
  expect(after - before).toBeLessThan(Math.max(60, CYCLES * MAX_GROWTH_MB));
}, 300_000);
