import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/core/time/clock.js';
import { BrowsersService } from '../../src/tools/browser/process/browsers.service.js';
import { BrowserGateway, TestSite } from '../support/tool-browser.js';

/** A clock that a test moves ahead. */
class SkippingClock extends SystemClock {
  skippedMs = 0;

  override elapsed(): number {
    return super.elapsed() + this.skippedMs;
  }
}

let site: TestSite;
let browser: BrowserGateway;
let clock: SkippingClock;
async function start(settings: Readonly<Record<string, unknown>>): Promise<void> {
  site = await TestSite.start();
  clock = new SkippingClock();
  browser = await BrowserGateway.start({ 'tools.browser.allow_hosts': [site.host], ...settings }, { clock });
}
afterEach(async () => {
  await browser.close();
  await site.close();
});

/** A page that shows what the session has brought along, and leaves something for the next time. */
const visit = () =>
  site.answer('/visit', (request, response) =>
    response.writeHead(200, { 'content-type': 'text/html', 'set-cookie': 'who=ann; max-age=3600' })
      .end(`<p id="out"></p><script>out.textContent = 'cookie ${request.headers.cookie ?? 'none'}, kept ' + localStorage.kept;
            localStorage.kept = 'note';</script>`),
  );

describe('the state of a session', () => {
  it('[U-12] is kept over its contexts in a file of its own, which only its user may read', async () => {
    await start({ 'tools.browser.persist': true });
    const url = visit();
    await browser.call('browser.open', { url });
    await browser.call('browser.close');
    const states = join(browser.root, 'states');
    expect(readdirSync(states)).toEqual(['s_one.json']);
    expect(statSync(join(states, 's_one.json')).mode & 0o777).toBe(0o600);
    expect((await browser.call('browser.open', { url })).page).toContain('cookie who=ann, kept note');
    expect((await browser.call('browser.open', { url }, 's_two')).page).toContain('cookie none, kept undefined');
  });

  it('[U-12] is not kept by default', async () => {
    await start({});
    const url = visit();
    await browser.call('browser.open', { url });
    await browser.call('browser.close');
    expect((await browser.call('browser.open', { url })).page).toContain('cookie none, kept undefined');
    expect(readdirSync(browser.root).filter((name) => name === 'states')).toEqual([]);
  });
});

describe('a context', () => {
  it('[U-13] that is idle for ten minutes is closed, the last one with the browser, and its session gets a note', async () => {
    await start({});
    const url = site.page('/plain', '<h1>Plain</h1>');
    await browser.call('browser.open', { url });
    await browser.call('browser.open', { url }, 's_two');
    const browsers = browser.gateway.app.get(BrowsersService, { strict: false });
    clock.skippedMs += 599_000;
    await browser.call('browser.snapshot', {}, 's_two');
    clock.skippedMs += 10_000;
    await browsers.closeIdle();
    expect((await browser.call('browser.tabs', {}, 's_two')).page).toContain('tab 1');
    const next = await browser.call('browser.open', { url });
    expect(next.notes.join()).toContain('were closed after ten minutes');
    clock.skippedMs += 700_000;
    await browsers.closeIdle();
    expect([browser.listProcesses(), browser.listRuns()]).toEqual([[], []]);
  });

  it('[U-13] of a job is the first to go when another session needs the room, then the one that is idle for longest', async () => {
    await start({ 'tools.browser.max_contexts': 2 });
    const url = site.page('/plain', '<h1>Plain</h1>');
    const isOpen = async (session: string) => (await browser.call('browser.tabs', {}, session)).page !== '';
    await browser.call('browser.open', { url }, 's_old');
    browser.caller = { principal: 'cron:j_1', clientId: 'cron' };
    await browser.call('browser.open', { url }, 's_job');
    browser.caller = {};
    await browser.call('browser.open', { url }, 's_new');
    expect([await isOpen('s_old'), await isOpen('s_job'), await isOpen('s_new')]).toEqual([true, false, true]);
    await browser.call('browser.snapshot', {}, 's_old');
    await browser.call('browser.open', { url }, 's_next');
    expect([await isOpen('s_old'), await isOpen('s_new')]).toEqual([true, false]);
    const next = await browser.call('browser.open', { url }, 's_new');
    expect(next.notes.join()).toContain('since other conversations needed the browser');
  });
});
