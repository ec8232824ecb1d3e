import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BrowserGateway, refOf, TestSite } from '../support/tool-browser.js';

let site: TestSite;
let browser: BrowserGateway;
beforeAll(async () => {
  site = await TestSite.start();
  browser = await BrowserGateway.start({ 'tools.browser.allow_hosts': [site.host] });
});
beforeEach(() => {
  browser.asked.splice(0);
  browser.allows = true;
});
afterEach(() => browser.call('browser.close'));
afterAll(async () => {
  await browser.close();
  await site.close();
});

/** A shop that notes what it gets. */
function openShop(): { readonly url: string; readonly sent: string[] } {
  const sent: string[] = [];
  site.answer('/pay', (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      sent.push(body);
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Thank you</h1>');
    });
  });
  const url = site.page(
    '/shop',
    `<form action="/pay" method="post"><label>Name <input name="who" value="Ann"></label><button><b>Go</b></button></form>
     <form><input aria-label="Search"><button>Find</button></form><button type="button">Buy now</button>`,
  );
  return { url, sent };
}

describe('an act that needs a person', () => {
  it('[U-06] is done after the approval, which shows what it does', async () => {
    const { url, sent } = openShop();
    const opened = await browser.call('browser.open', { url });
    const act = { ref: refOf(opened, 'button "Go"'), action: 'click' };
    const { page } = await browser.call('browser.act', act);
    expect(browser.asked).toEqual([
      `click button "Go" on "${site.url('/shop')}": sends a form to "${site.url('/pay')}"`,
    ]);
    expect([sent, page]).toEqual([['who=Ann'], expect.stringContaining('Thank you')]);
  });

  it('[U-06] is not done without it, by a click or a key', async () => {
    browser.allows = false;
    const { url, sent } = openShop();
    const opened = await browser.call('browser.open', { url });
    for (const act of [
      { ref: refOf(opened, 'button "Go"'), action: 'click' },
      { ref: refOf(opened, 'textbox "Name"'), action: 'press', value: 'Enter' },
      { ref: refOf(opened, 'button "Buy now"'), action: 'click' },
    ])
      expect(await browser.call('browser.act', act)).toMatchObject({ ok: false });
    expect([browser.asked.length, sent]).toEqual([3, []]);
    const find = { ref: refOf(opened, 'button "Find"'), action: 'click' };
    expect(await browser.call('browser.act', find)).toMatchObject({ ok: true });
    expect(browser.asked).toHaveLength(3);
  });

  it('[U-06] that would do something else by then is refused', async () => {
    const { sent } = openShop();
    const url = site.page(
      '/later',
      `<form method="get"><button>Go</button></form><script>
       fetch('/later/change').then(() => { const form = document.querySelector('form'); form.method = 'post'; form.action = '/pay'; });
       </script>`,
    );
    let change = () => {};
    site.answer('/later/change', (_request, response) => void (change = () => response.end()));
    const opened = await browser.call('browser.open', { url });
    const reviewed = await browser.review('browser.act', { ref: refOf(opened, 'button "Go"'), action: 'click' });
    expect(reviewed).toMatchObject({ needsApproval: false });
    change();
    await browser.call('browser.wait', { for: '1' });
    const outcome = await reviewed.run();
    expect(JSON.stringify(outcome)).toContain('has changed since it was reviewed');
    expect(sent).toEqual([]);
  });

  it('[U-04] [U-06] enters a secret that no result and no approval shows', async () => {
    const html = readFileSync(new URL('../inputs/browser/B29-password.html', import.meta.url), 'utf8');
    const opened = await browser.call('browser.open', { url: site.page('/secrets', html) });
    const fill = { ref: refOf(opened, 'textbox "Password"'), action: 'fill', value: 'new-secret-9f' };
    const filled = await browser.call('browser.act', fill);
    expect(filled).toMatchObject({ ok: true });
    expect(browser.asked).toEqual([expect.stringContaining('enters a secret')]);
    const read = await browser.call('browser.snapshot');
    expect(filled.page + read.page + browser.asked.join()).not.toContain('new-secret-9f');
    expect(read.page).toContain('(secret, 13 characters)');
  });
});
